import { readFile, readlink } from 'node:fs/promises';
import { declareSlow } from './libc.ts';

const madvise = declareSlow('int madvise(uintptr_t address, size_t length, int advice)');

/** MADV_DONTNEED, madvise(2). */
const DONT_NEED = 4;

/** Addresses of this process: from the first one, so many bytes. */
export interface Range {
  readonly from: number;
  readonly bytes: number;
}

/**
 * Takes the pages of Node's own program out of the memory of this process. They stay in the kernel's cache of
 * files while the host has memory for them, and come back one by one when they are used. Takes milliseconds, on
 * another thread. @throws when the kernel refuses it
 */
export async function unmapProgram(): Promise<void> {
  const [program, smaps] = await Promise.all([
    readlink('/proc/self/exe'),
    readFile('/proc/self/smaps', 'utf8'),
  ]);
  for (const { from, bytes } of unwrittenRanges(smaps, program)) {
    if ((await madvise?.(from, bytes, DONT_NEED)) !== 0)
      throw new Error('the kernel keeps the pages of the program');
  }
}

/** The first line of a mapping, proc_pid_maps(5): addresses, rights, offset, device, inode, path. */
const HEAD = /^([\da-f]+)-([\da-f]+) (\S{4}) ([\da-f]+) \S+ \d+ +(.+)$/m;

/**
 * The ranges of a program that were never written to. Only these may be taken out: the kernel reads them from
 * the file again, but what was written, such as addresses that the linker has filled in, would be lost. Other
 * mappings of the same file, such as V8's copy of its built-ins, end with their thread. Their addresses could
 * belong to something else by the time of the call.
 * @param smaps text of /proc/PID/smaps
 * @param program path of the file
 */
export function unwrittenRanges(smaps: string, program: string): Range[] {
  const ranges: Range[] = [];
  let end: number | undefined;
  for (const mapping of smaps.split(/^(?=[\da-f]+-[\da-f]+ )/m)) {
    const [, first = '', last = '', rights = '', offset = '', path] = HEAD.exec(mapping) ?? [];
    const from = Number.parseInt(first, 16);
    // The program is mapped once from the file's beginning, without gaps.
    const isPart = end === undefined ? Number.parseInt(offset, 16) === 0 : from === end;
    if (path !== program || !isPart) continue;
    end = Number.parseInt(last, 16);
    if (isUnwritten(rights, mapping)) ranges.push({ from, bytes: end - from });
  }
  return ranges;
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
