import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { close } from '../../native/libc.ts';
import { openPipe, type Pipe } from '../../native/pipe.ts';

/** A program whose standard streams are pipes. */
export interface OnPipes {
  readonly child: ChildProcess;
  readonly stdin: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** Settles when the program has ended and all its output has been read. Exit code, or the signal that ended it. */
  readonly closed: Promise<{ readonly code: number | null; readonly signal: ChildProcess['signalCode'] }>;
}

/**
 * Starts a program with real pipes as its standard streams. Node's own are Unix sockets: a program cannot open
 * `/dev/stdin` then, and bash takes a socket for a network connection and reads `~/.bashrc` before a command of `-c`.
 */
export function spawnOnPipes(command: string, words: readonly string[], cwd: string): OnPipes {
  const [first, second, third] = openPipes();
  const stdin = new Socket({ fd: first.write, readable: false });
  const stdout = new Socket({ fd: second.read, writable: false });
  const stderr = new Socket({ fd: third.read, writable: false });
  const streams = [stdin, stdout, stderr];
  // Without a listener, an error of a stream would end the daemon. The program's exit code says enough.
  for (const each of streams) each.on('error', () => {});
  const theirs = [first.read, second.write, third.write];
  try {
    const child = spawn(command, words, { cwd, stdio: theirs });
    child.once('error', () => streams.forEach((each) => void each.destroy()));
    return { child, stdin, stdout, stderr, closed: untilClosed(child, streams) };
  } catch (error) {
    streams.forEach((each) => void each.destroy());
    throw error;
  } finally {
    theirs.forEach(closeSync);
  }
}

/** @throws SystemError when there are no descriptors left */
function openPipes(): [Pipe, Pipe, Pipe] {
  const opened: Pipe[] = [];
  try {
    while (opened.length < 3) opened.push(openPipe());
    return opened as [Pipe, Pipe, Pipe];
  } catch (error) {
    for (const { read, write } of opened) for (const fd of [read, write]) close(fd);
    throw error;
  }
}

async function untilClosed(child: ChildProcess, [stdin, ...outputs]: readonly Socket[]) {
  const closes = outputs.map((each) => new Promise<void>((resolve) => each.once('close', () => resolve())));
  const end = await new Promise<Awaited<OnPipes['closed']>>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  stdin?.destroy();
  // What nobody reads is dropped, as Node does with its own streams.
  for (const each of outputs) each.resume();
  await Promise.all(closes);
  return end;
}
