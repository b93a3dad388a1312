import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { interfaceName } from './interface-name.ts';
import { type KernelInterface, readInterfaces } from './interfaces.ts';
import { checked, declare } from './libc.ts';

// A separate program that reads the network interfaces of containers: guests can make and change as many
// interfaces as they like, and the kernel lets every reader wait for that. It answers a line with a pid by a
// line with the pid and its interfaces; they are missing when there is no such process. It executes nothing of the
// container.

const setns = declare('int setns(int fd, int type)');
const CLONE_NEWNET = 0x4000_0000;

/** Interfaces of one container whose other end is named: guests may have thousands, nics are the first. */
const NAMED_MAX = 16;

/** An interface with the name of its other end on the host; empty when there is none. */
export type NamedInterface = KernelInterface & { readonly hostName: string };

const host = openSync('/proc/self/ns/net', 'r');

// Says that it is ready: what takes longer from here on is the answer to a question.
process.stdout.write('ready\n');
createInterface({ input: process.stdin }).on('line', (pid) => {
  process.stdout.write(`${pid} ${answer(Number(pid))}\n`);
});

function answer(pid: number): string {
  try {
    return JSON.stringify(namesOfEnds(readInside(pid)));
  } catch {
    return '';
  }
}

function readInside(pid: number): KernelInterface[] {
  const inside = openSync(`/proc/${pid}/ns/net`, 'r');
  try {
    checked('setns', setns(inside, CLONE_NEWNET));
    return readInterfaces();
  } finally {
    setns(host, CLONE_NEWNET);
    closeSync(inside);
  }
}

function namesOfEnds(interfaces: readonly KernelInterface[]): NamedInterface[] {
  const tied = new Set(interfaces.filter(({ outerIndex }) => outerIndex !== null).slice(0, NAMED_MAX));
  return interfaces.map((each) => ({
    ...each,
    hostName: tied.has(each) ? interfaceName(each.outerIndex ?? 0) : '',
  }));
}
