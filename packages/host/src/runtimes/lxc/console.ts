import { constants } from 'node:os';
import { hostError } from '../../core/host-errors.ts';
import { close } from '../../native/libc.ts';
import type { PinnedProcess } from '../../native/pinned-process.ts';
import { dropInput } from '../../native/terminal.ts';
import type { ConsoleRequest } from '../contract/console.ts';
import type { ExecProcess } from '../contract/exec.ts';
import { ConsoleInput, type MonitorInput } from './console-input.ts';
import { ConsoleOutput } from './console-output.ts';
import { waitingWrite } from './hung-write.ts';
import { runOnPty } from './pty-process.ts';

/** LXC answers at once, unless its monitor hangs. */
const ATTACH_TIMEOUT_MS = 10_000;

/** lxc-console takes this key for its own, and passes it on when it gets it twice. */
const PREFIX_KEY = 1;

/**
 * LXC's monitor takes over the size of the terminal on SIGWINCH, when lxc-console has passed it on; that is not
 * told, so it is asked twice.
 */
const SIZE_PASSED_ON_MS = [50, 500];

/** Tty 0 is the console. */
const CONSOLE_TTY = '0';

/** Where the container is, and LXC's process that has its console. */
export interface ConsoleTarget {
  readonly id: number;
  readonly lxcPath: string;
  readonly monitor: PinnedProcess;
}

/**
 * Takes a container's console, by lxc-console(1); only one process at a time can have it.
 * @throws CodedError console-busy
 */
export async function attachConsole(
  { lxcPath, id, monitor }: ConsoleTarget,
  { width, height }: ConsoleRequest,
): Promise<ExecProcess> {
  const args = ['-q', '-o', 'none', '-P', lxcPath, '-n', String(id), '-t', CONSOLE_TTY];
  const pty = runOnPty('lxc-console', args, { cwd: '/', width, height, term: 'xterm' });
  const output = new ConsoleOutput(pty);
  const input = new ConsoleInput(pty, inputOf(monitor));
  let hangs = false;
  const deadline = setTimeout(() => {
    hangs = true;
    pty.kill();
  }, ATTACH_TIMEOUT_MS);
  const refused = pty.exited.then(() => {
    output.close();
    throw hangs ? hostError('runtime-failed', 'The console does not answer') : hostError('console-busy');
  });
  refused.catch(() => {});
  await Promise.race([output.attached, refused]).finally(() => clearTimeout(deadline));
  const passSizeOn = () => {
    for (const ms of SIZE_PASSED_ON_MS)
      setTimeout(() => monitor.signal(constants.signals.SIGWINCH), ms).unref();
  };
  passSizeOn();
  return {
    ...pty,
    resize(columns, rows) {
      pty.resize(columns, rows);
      passSizeOn();
    },
    write: (data) => input.write(doubled(data)),
    onDrain: (listener) => input.onDrain(listener),
    onOutput: (listener) => output.onOutput(listener),
    pause: () => output.pause(),
    resume: () => output.resume(),
    signal(number) {
      if (number === constants.signals.SIGKILL) pty.kill();
    },
  };
}

/** What the monitor does with the input. If the guest does not read, the monitor waits, and so do LXC's commands. */
function inputOf(monitor: PinnedProcess): MonitorInput {
  return {
    wait: () => (monitor.isAlive() ? (waitingWrite(monitor.pid)?.wait ?? null) : null),
    drop: () => dropWaiting(monitor),
  };
}

/** Drops the input that the guest has not read, so that the monitor continues. */
function dropWaiting(monitor: PinnedProcess): void {
  const write = waitingWrite(monitor.pid);
  if (!write) return;
  try {
    const master = monitor.descriptor(write.fd);
    try {
      dropInput(master);
    } finally {
      close(master);
    }
  } catch {
    // The monitor writes to something else, or the monitor or the guest has ended. Other code notices that.
  }
}

/** The same keys in the form in which lxc-console passes all of them on. */
function doubled(data: Uint8Array): Uint8Array {
  if (!data.includes(PREFIX_KEY)) return data;
  return Uint8Array.from([...data].flatMap((byte) => (byte === PREFIX_KEY ? [byte, byte] : [byte])));
}
