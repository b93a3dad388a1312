import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import type { Builders } from '../commands/image-build.ts';
import type { Io } from '../io.ts';
import { run } from '../program/program.ts';

/** The result of a command line. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FakeIoOptions {
  /** The text that is piped in; standard input is a terminal when absent. */
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output and error are a terminal. */
  readonly terminal?: boolean;
  /** The builders of `image build`; a file of a few letters as busybox when absent. */
  readonly builders?: Builders;
}

async function buildNothing(dir: string): Promise<string> {
  const file = join(dir, 'busybox.tar.gz');
  await writeFile(file, 'busybox');
  return file;
}

/** Runs one command line against a state directory. */
export async function runIn(
  stateDir: string,
  words: readonly string[],
  options: FakeIoOptions = {},
): Promise<Outcome> {
  const { io, stdout, stderr } = fakeIo({ ...options, env: { PORTHOLE_DIR: stateDir, ...options.env } });
  const code = await run(words, io, options.builders ?? { busybox: buildNothing });
  return { code, stdout: stdout(), stderr: stderr() };
}

/** The streams and signals of a process, in memory. */
export function fakeIo(options: FakeIoOptions = {}): { io: Io; stdout: () => string; stderr: () => string } {
  const stdout = capture(options.terminal === true);
  const stderr = capture(options.terminal === true);
  const stdin =
    options.stdin === undefined
      ? Object.assign(new PassThrough(), { isTTY: true })
      : Readable.from([Buffer.from(options.stdin)]);
  const io = {
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? {},
    makeRaw: () => () => {},
    onSignal: () => () => {},
  };
  return { io, stdout: stdout.text, stderr: stderr.text };
}

function capture(isTTY: boolean) {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 100, rows: 30 }), text: () => chunks.join('') };
}
