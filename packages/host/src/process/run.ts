import { type ChildProcess, spawn } from 'node:child_process';

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
  /** Descriptors that it gets as 3, 4 and so on. It has no others besides the standard ones. */
  readonly descriptors?: readonly number[];
}

/** What is kept of a command's output; the rest is dropped. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

/**
 * A killed process ends at once, unless it waits in the kernel for a file system that does not answer. Nobody waits for
 * that one: it is left alone, and is gone when its file system answers, or is.
 */
const DEATH_MS = 1_000;

/** Runs a command without a shell and waits for its end. Never throws: read `ok`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { cwd, env, input, timeoutMs, signal, descriptors = [] } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: env ? { ...env } : process.env,
      stdio: ['pipe', 'pipe', 'pipe', ...descriptors],
    });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
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

/** Kills a child when its time is over, and gives it up when that does not end it. */
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

/** Lets go of a child, so that nothing of this process waits for it. @returns settles at its end */
function abandon(child: ChildProcess): Promise<void> {
  const ended =
    child.exitCode === null && child.signalCode === null
      ? new Promise<void>((resolve) => child.once('exit', () => resolve()))
      : Promise.resolve();
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
  return ended;
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (size < OUTPUT_BYTES_MAX) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
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
  const ended = signal ? `ended by ${signal}` : `exit code ${code}`;
  const why = error?.message ?? (timedOut ? 'it does not answer' : ended);
  const said = stderr.trim().split('\n').slice(-3).join('; ');
  return `${command}: ${why}${said ? `: ${said}` : ''}`;
}
