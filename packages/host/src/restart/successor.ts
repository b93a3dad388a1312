import { fileURLToPath } from 'node:url';
import { keepOverExec } from '../native/descriptors.ts';
import { Guard } from '../process/guard.ts';
import { run } from '../process/run.ts';
import { descriptorsOf, type Inherited, leftTo } from './inherited.ts';

/** How the program was started: the command that starts it again, its arguments and its environment. */
export interface Command {
  readonly program: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const GUARD = fileURLToPath(new URL('../native/signal-guard.ts', import.meta.url));

/** Loading the program and reading its settings must not take longer. */
const CHECK_TIMEOUT_MS = 30_000;

/** Begins to load the program that holds the signals to this process while it becomes its successor. */
export function startGuard(pid: number): Guard {
  return new Guard(GUARD, pid);
}

/** Why the program, as it is on disk now, could not take over; empty when it could. */
export async function whyNoSuccessor({ program, args, env }: Command): Promise<string> {
  const [file = '', ...before] = program;
  const checked = await run(file, [...before, ...args, '--check-start'], {
    env: env as Record<string, string>,
    timeoutMs: CHECK_TIMEOUT_MS,
  });
  return checked.failure;
}

/** Replaces the program of this process with the one on disk; its pid and the descriptors in `left` stay. */
export function becomeSuccessor({ program, args, env }: Command, left: Inherited): never {
  const [file = ''] = program;
  for (const fd of descriptorsOf(left)) keepOverExec(fd, true);
  return process.execve!(file, [...program, ...args], leftTo(env, process.pid, left));
}
