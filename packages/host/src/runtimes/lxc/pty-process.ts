import { spawn } from '@lydell/node-pty';
import { makeTransparent } from '../../native/terminal.ts';
import { apart } from '../../process/apart.ts';
import type { ExecProcess } from '../contract/exec.ts';
import { TerminalInput } from './terminal-input.ts';

/** Where Debian has LXC's programs and what they need. */
const TOOLS_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_WIDTH = 80;
const DEFAULT_HEIGHT = 24;

/** The exit code of a process that a signal ended is this plus the signal's number, as in shells. */
export const SIGNAL_BASE = 128;

/** The terminal of a program of the host. */
export interface PtyOptions {
  readonly cwd: string;
  /** In characters; 0 when unknown. */
  readonly width: number;
  readonly height: number;
  readonly term: string;
}

/** A program of the host on a pty; `signal` of the contract is left to the caller. */
export interface PtyProcess extends Omit<ExecProcess, 'signal'> {
  readonly pid: number;
  kill(): void;
}

/** Runs a program of the host on a pty that passes all bytes on unchanged. */
export function runOnPty(program: string, args: readonly string[], options: PtyOptions): PtyProcess {
  const [command, ...words] = apart([program, ...args]);
  const pty = spawn(command, words, {
    cwd: options.cwd,
    cols: options.width || DEFAULT_WIDTH,
    rows: options.height || DEFAULT_HEIGHT,
    encoding: null,
    env: { TERM: options.term, PATH: TOOLS_PATH },
  });
  // The pty inside translates line ends already; a second translation would add another carriage return to
  // each.
  const { fd } = pty as unknown as { readonly fd: number };
  makeTransparent(fd);
  const input = new TerminalInput(fd);
  return {
    pid: pty.pid,
    kill: () => pty.kill('SIGKILL'),
    write: (data) => input.write(data),
    endInput: () => pty.kill('SIGHUP'),
    // Without an encoding the data are bytes, although the declared type is a string.
    onOutput: (listener) => void pty.onData((data) => listener(1, data as unknown as Uint8Array)),
    onDrain: (listener) => input.onDrain(listener),
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    resize: (width, height) => pty.resize(Math.max(1, width), Math.max(1, height)),
    exited: new Promise((resolve) => {
      pty.onExit(({ exitCode, signal }) => {
        input.close();
        resolve(signal ? SIGNAL_BASE + signal : exitCode);
      });
    }),
  };
}
