import { type ChildProcess, spawn } from 'node:child_process';
import { abandon, DEATH_MS, explainEnd, lastWords } from './ending.ts';

/** A finished process: the same fields whether it did well or not. */
export interface Finished {
  readonly ok: boolean;
  /** Exit code; null when a signal ended it or it could not be started. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it is not ok, for people; empty when it is. */
  readonly failure: string;
  readonly stdout: string;
  readonly stderr: string;
  /** It was killed because its time was over. */
  readonly timedOut: boolean;
  /** Null, or the kernel does not even let it be killed: settles when it has ended after all. */
  readonly stuck: Promise<void> | null;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Killed (SIGKILL) after this; none by default. */
  readonly timeoutMs?: number;
  /** Killed when it aborts. */
  readonly signal?: AbortSignal;
  /** How its output is read; `latin1` keeps every byte. UTF-8 by default. */
  readonly encoding?: 'utf8' | 'latin1';
  /** Killed when it prints more on its standard output. Without this, what is more than 1 MiB is dropped. */
  readonly outputBytesMax?: number;
  /** Descriptors that it gets as 3, 4 and so on. It has no others besides the standard ones. */
  readonly descriptors?: readonly number[];
}

/** Of a command's output so much is kept; the rest is dropped. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Runs a command without a shell and waits for its end. Never throws: read `ok`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { cwd, env, input, timeoutMs, signal, encoding = 'utf8', outputBytesMax, descriptors = [] } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: env ? { ...env } : process.env,
      stdio: ['pipe', 'pipe', 'pipe', ...descriptors],
    });
    const tooMuch = outputBytesMax === undefined ? () => {} : () => void child.kill('SIGKILL');
    const stdout = collect(child.stdout, { encoding, most: outputBytesMax, tooMuch });
    const stderr = collect(child.stderr, { encoding });
    const limits = watch(child, { timeoutMs, signal }, (stuck) => finish(null, 'SIGKILL', { stuck }));
    const finish = (
      code: number | null,
      endedBy: NodeJS.Signals | null,
      { error, stuck = null }: { error?: Error; stuck?: Promise<void> | null } = {},
    ) => {
      limits.over();
      const { timedOut } = limits;
      const why = explain({ command, code, signal: endedBy, stderr: stderr(), error, timedOut });
      const end = { ok: code === 0, code, signal: endedBy, failure: code === 0 ? '' : why };
      resolve({ ...end, stdout: stdout(), stderr: stderr(), timedOut, stuck });
    };
    child.on('error', (error) => finish(null, null, { error }));
    child.on('close', (code, endedBy) => finish(code, endedBy));
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

/** Kills a child when its time is over, and stops waiting for it if that does not end it. */
function watch(
  child: ChildProcess,
  { timeoutMs, signal }: { timeoutMs: number | undefined; signal: AbortSignal | undefined },
  giveUp: (stuck: Promise<void>) => void,
) {
  let death: NodeJS.Timeout | undefined;
  const kill = () => {
    child.kill('SIGKILL');
    death ??= setTimeout(() => giveUp(abandon(child)), DEATH_MS);
  };
  const state = {
    timedOut: false,
    over() {
      for (const each of [timer, death]) clearTimeout(each);
      signal?.removeEventListener('abort', kill);
    },
  };
  const expire = () => {
    state.timedOut = true;
    kill();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  if (signal?.aborted) kill();
  signal?.addEventListener('abort', kill, { once: true });
  return state;
}

interface Collecting {
  readonly encoding: BufferEncoding;
  readonly most?: number | undefined;
  readonly tooMuch?: () => void;
}

function collect(
  stream: NodeJS.ReadableStream | null,
  { encoding, most = OUTPUT_BYTES_MAX, tooMuch = () => {} }: Collecting,
): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (size < most) chunks.push(chunk);
    size += chunk.length;
    if (size > most) tooMuch();
  });
  return () => Buffer.concat(chunks).toString(encoding);
}

interface End {
  readonly command: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly error: Error | undefined;
  readonly timedOut: boolean;
}

function explain({ command, code, signal, stderr, error, timedOut }: End): string {
  const why = error?.message ?? (timedOut ? 'it does not answer' : explainEnd(code, signal));
  const said = lastWords(stderr);
  return `${command}: ${why}${said ? `: ${said}` : ''}`;
}
