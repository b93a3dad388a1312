import type { ChildProcess } from 'node:child_process';
import type { Finished } from '../../../src/process/run.ts';

/** The first program of a container: it sends a request at once, and then continues to run. */
export const FIRST = 'devlxd /1.0/config/user.x > /tmp/first 2>&1; exec sleep inf';

/** One way to run containers, with the real programs, configured by `porthole setup`. */
export interface Way {
  /** The name of the runtime in `volatile.container.runtime`. */
  readonly runtime: string;
  /**
   * Starts a container with a word that sets `user.x` to this value.
   * @param script its first program, {@link FIRST} if not given
   */
  start(name: string, value: string, script?: string): Promise<void>;
  /** Runs a program inside, by the way's own command. */
  exec(name: string, ...words: string[]): Promise<Finished>;
  /** Starts a program inside that stays. */
  spawn(name: string, ...words: string[]): ChildProcess;
  /** Ends the container and starts it again. */
  restart(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  /** Removes a stopped container. */
  remove(name: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The daemon and the command with which a container manager is set up. */
export interface Told {
  readonly stateDir: string;
  /** Path of the command. */
  readonly porthole: string;
}
