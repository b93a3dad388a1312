import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { TourFailure } from './transcript.ts';

/** A daemon that the tour has started. */
export interface DaemonProcess {
  /** Settles when it ends. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

/** Whether a process listens on a Unix socket. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Starts `portholed` and waits until it serves.
 * @throws TourFailure with its last output when it ends instead
 */
export async function startDaemonProcess(
  bin: string,
  stateDir: string,
  env: Readonly<Record<string, string | undefined>>,
  flags: readonly string[] = [],
): Promise<DaemonProcess> {
  const child = spawn(`${bin}/portholed`, ['--state-dir', stateDir, ...flags], {
    env: { ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
    // Only the tour gets the signal of Ctrl-C, and then stops the daemon.
    detached: true,
  });
  const said: string[] = [];
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      said.push(line);
      if (line.includes('"daemon started"')) resolve();
    });
    void ended.then(() =>
      reject(new TourFailure(`the daemon ended: ${said.slice(-LINES_SHOWN).join('\n')}`)),
    );
  });
  return { ended, stop: () => stop(child, ended, 'SIGTERM'), kill: () => stop(child, ended, 'SIGKILL') };
}

const LINES_SHOWN = 5;

async function stop(child: ChildProcess, ended: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await ended;
}
