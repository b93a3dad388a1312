import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Program } from './programs.ts';

const POLL_MS = 5;
const WAIT_MS = 180_000;

/** Polls until a fact holds. @throws Error that names the fact, after `WAIT_MS` */
export async function until(fact: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come to this: ${fact}`);
    await wait(POLL_MS);
  }
}

/** Waits until a program accepts connections on a Unix socket. @throws when it ends first */
export function untilServed(path: string, program: Program): Promise<void> {
  return until(`a program serves ${path}`, () => {
    if (program.hasEnded) throw new Error(`a server has ended: ${program.said.trim()}`);
    return isServed(path);
  });
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
