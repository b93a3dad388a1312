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
  /** Descriptors that it gets as 3, 4 and so on. It has no others besides the standard ones. */
  readonly descriptors?: readonly number[];
}

/** A command that says more is killed. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Runs a command without a shell and waits for its end. Never throws: read `ok`. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  // Loaded when a command is run: that takes a tenth of a second, which most commands of the CLI do not need.
  const { execa } = await import('execa');
  const child = execa(command, args, execaOptions(options));
  const { overdue, forget } = watchDeath(options);
  const ended = await Promise.race([child, overdue]);
  forget();
  if (ended !== OVERDUE) return finished(command, ended);
  return givenUp(command, !options.signal?.aborted, abandon(child.nodeChildProcess));
}

function execaOptions({ cwd, env, input = '', timeoutMs, signal, descriptors = [] }: RunOptions) {
  return {
    ...(cwd === undefined ? {} : { cwd }),
    // 0 would mean without limit.
    ...(timeoutMs === undefined ? {} : { timeout: Math.max(timeoutMs, 1) }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...{ input, env: { ...(env ?? process.env) }, extendEnv: false },
    ...({ cleanup: false, reject: false, stripFinalNewline: false } as const),
    // Execa passes numbers on as spawn does, which its types do not say.
    stdio: ['pipe', 'pipe', 'pipe', ...descriptors] as ['pipe', 'pipe', 'pipe'],
    killSignal: 'SIGKILL' as const,
    maxBuffer: OUTPUT_BYTES_MAX,
  };
}

const OVERDUE = 'overdue';

/** Tells when a child that was killed has not ended. */
function watchDeath({ timeoutMs, signal }: RunOptions) {
  const { promise: overdue, resolve } = Promise.withResolvers<typeof OVERDUE>();
  const timers: NodeJS.Timeout[] = [];
  const expect = (ms: number) => timers.push(setTimeout(() => resolve(OVERDUE), ms));
  const aborted = () => expect(DEATH_MS);
  if (timeoutMs !== undefined) expect(timeoutMs + DEATH_MS);
  if (signal?.aborted) aborted();
  signal?.addEventListener('abort', aborted, { once: true });
  const forget = () => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  };
  return { overdue, forget };
}

function givenUp(command: string, timedOut: boolean, stuck: Promise<void>): Finished {
  const failure = `${command}: ${timedOut ? NO_ANSWER : explainEnd(null, 'SIGKILL')}`;
  const end = { ok: false, code: null, signal: 'SIGKILL', failure } as const;
  return { ...end, stdout: '', stderr: '', timedOut, stuck };
}

const NO_ANSWER = 'it does not answer';

/** What is used of execa's result. */
interface Result {
  readonly failed: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: NodeJS.Signals | undefined;
  readonly timedOut: boolean;
  readonly originalMessage?: string | undefined;
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
}

function finished(command: string, result: Result): Finished {
  const {
    failed,
    exitCode = null,
    signal = null,
    timedOut,
    originalMessage,
    stdout = '',
    stderr = '',
  } = result;
  const end = { ok: !failed, code: exitCode, signal, stdout, stderr, timedOut, stuck: null };
  if (!failed) return { ...end, failure: '' };
  const why = timedOut ? NO_ANSWER : (originalMessage ?? explainEnd(exitCode, signal));
  const said = lastWords(stderr);
  return { ...end, failure: `${command}: ${why}${said ? `: ${said}` : ''}` };
}
