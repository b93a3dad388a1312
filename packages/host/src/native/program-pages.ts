import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { declare } from './libc.ts';

const madvise = declare('int madvise(uintptr_t address, size_t length, int advice)');

/** MADV_DONTNEED, madvise(2). */
const DONT_NEED = 4;

/** Addresses of this process: from the first one, so many bytes. */
export interface Range {
  readonly from: number;
  readonly bytes: number;
}

/**
 * Takes the pages of Node's own program out of the memory of this process. They stay in the kernel's cache of
 * files while the host has memory for them, and come back one by one when they are used. Takes a millisecond or
 * two. @throws when the kernel refuses it
 */
export function unmapProgram(): void {
  const program = readlinkSync('/proc/self/exe', 'latin1');
  for (const { from, bytes } of unwrittenRanges(piecesOf('/proc/self/smaps'), program)) {
    if (madvise(from, bytes, DONT_NEED) !== 0) throw new Error('the kernel keeps the pages of the program');
  }
}

/** The text of a file of the kernel, as far as it is asked for: what the kernel adds later is never made. */
function* piecesOf(path: string): Generator<string> {
  const buffer = Buffer.allocUnsafe(4096);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      yield buffer.toString('latin1', 0, read);
  } finally {
    closeSync(file);
  }
}

/** The first line of a mapping, proc_pid_maps(5): addresses, rights, offset, device, inode, path. */
const HEAD = /^([\da-f]+)-([\da-f]+) (\S{4}) ([\da-f]+) \S+ \d+ +(.+)$/m;

/**
 * The ranges of a program that were never written to. Only these may be taken out: the kernel reads them from
 * the file again, but what was written, such as addresses that the linker has filled in, would be lost. Other
 * mappings of the same file, such as V8's copy of its built-ins, end with their thread. Their addresses could
 * belong to something else by the time of the call.
 * @param smaps text of /proc/PID/smaps, in pieces; what comes after the program is not read
 * @param program path of the file
 */
export function unwrittenRanges(smaps: Iterable<string>, program: string): Range[] {
  const ranges: Range[] = [];
  let end: number | undefined;
  for (const mapping of mappingsOf(smaps)) {
    const [, first = '', last = '', rights = '', offset = '', path] = HEAD.exec(mapping) ?? [];
    const from = Number.parseInt(first, 16);
    // The program is mapped once from the file's beginning, without gaps.
    const isPart = path === program && (end === undefined ? /^0+$/.test(offset) : from === end);
    if (isPart) {
      end = Number.parseInt(last, 16);
      if (isUnwritten(rights, mapping)) ranges.push({ from, bytes: end - from });
    } else if (end !== undefined) break;
  }
  return ranges;
}

function* mappingsOf(smaps: Iterable<string>): Generator<string> {
  let rest = '';
  for (const piece of smaps) {
    const mappings = (rest + piece).split(/^(?=[\da-f]+-[\da-f]+ )/m);
    rest = mappings.pop() ?? '';
    yield* mappings;
  }
  yield rest;
}

/** `ac` is the mark of a mapping that could be written to once, even if it cannot be now. */
function isUnwritten(rights: string, mapping: string): boolean {
  return (
    /^r-[x-]p$/.test(rights) &&
    /^Anonymous: +0 kB$/m.test(mapping) &&
    /^Swap: +0 kB$/m.test(mapping) &&
    /^VmFlags:(?!.* ac\b)/m.test(mapping)
  );
}
