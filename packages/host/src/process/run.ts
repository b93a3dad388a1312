import { spawn } from 'node:child_process';

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
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Killed (SIGKILL) after this; none by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What is kept of a command's output; the rest is dropped. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Runs a command without a shell and waits for its end. Never throws: read `ok`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ? { ...options.env } : process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      signal: options.signal,
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const finish = (code: number | null, signal: NodeJS.Signals | null, error?: Error) => {
      const errors = stderr();
      resolve({
        ok: code === 0,
        code,
        signal,
        failure: code === 0 ? '' : explain(command, code, signal, errors, error),
        stdout: stdout(),
        stderr: errors,
      });
    };
    child.on('error', (error) => finish(null, null, error));
    child.on('close', (code, signal) => finish(code, signal));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < OUTPUT_BYTES_MAX) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function explain(
  command: string,
  code: number | null,
  signal: NodeJS.Signals | null,
  stderr: string,
  error?: Error,
): string {
  const why = error?.message ?? (signal ? `ended by ${signal}` : `exit code ${code}`);
  const said = stderr.trim().split('\n').slice(-3).join('; ');
  return `${command}: ${why}${said ? `: ${said}` : ''}`;
}
