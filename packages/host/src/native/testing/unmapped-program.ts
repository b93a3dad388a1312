// Takes the pages of its program out. Says whether at least half of the pages were gone, what a
// thread has worked out, whether pages came back, and whether the program is the same as before.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { unmapProgram } from '../program-pages.ts';

/** Kilobytes of files in the memory of this process. */
function pages(): number {
  return Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

/** Of all of the program that cannot be written to, also of the addresses that the linker has filled in. */
function hash(): string {
  const program = readlinkSync('/proc/self/exe');
  const made = createHash('sha256');
  const memory = openSync('/proc/self/mem', 'r');
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const [, first = '', last = ''] = /^(\w+)-(\w+) r-[x-]p /.exec(line) ?? [];
    if (first === '' || !line.endsWith(program)) continue;
    const from = Number.parseInt(first, 16);
    const bytes = Buffer.alloc(Number.parseInt(last, 16) - from);
    for (let at = 0; at < bytes.length; ) at += readSync(memory, bytes, at, bytes.length - at, from + at);
    made.update(bytes);
  }
  closeSync(memory);
  return made.digest('hex');
}

/** Compiles and runs a program on a thread. */
async function work(): Promise<number> {
  const worker = new Worker('process.exitCode = eval("6 * 7")', { eval: true });
  const [code] = await once(worker, 'exit');
  return code;
}

await work();
const before = { pages: pages(), hash: hash() };
unmapProgram();
const left = pages();
console.log(left < before.pages / 2, await work(), pages() > left, hash() === before.hash);
