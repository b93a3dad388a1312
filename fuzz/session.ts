import { relative } from 'node:path';
import { CORPUS, FINDINGS, readCaseFile, readCorpus, writeCase } from './corpus.ts';
import { type Found, Fuzzer } from './fuzzer.ts';
import { KINDS } from './kinds.ts';
import type { Plan } from './plan.ts';
import type { TargetName } from './target.ts';

type FuzzPlan = Extract<Plan, { kind: 'fuzz' }>;

/** Targets take turns of this length. */
const TURN_MS = 2_000;
const PROGRESS_MS = 10_000;
const MS_PER_MINUTE = 60_000;

export interface SessionOptions {
  say(line: string): void;
  readonly signal: AbortSignal;
}

/** Tries all targets of a plan in turn until its time is over; returns how many findings there were. */
export async function fuzz(plan: FuzzPlan & { seed: string }, options: SessionOptions): Promise<number> {
  const { say, signal } = options;
  await using session = await Session.open(plan, say);
  const deadline = performance.now() + plan.minutes * MS_PER_MINUTE;
  const isOver = () => signal.aborted || performance.now() >= deadline;
  for (const fuzzer of session.fuzzers) if (!isOver()) await session.begin(fuzzer);
  while (!isOver() && session.fuzzers.some(({ isDone }) => !isDone)) {
    for (const fuzzer of session.fuzzers) await session.turn(fuzzer, isOver);
  }
  for (const fuzzer of session.fuzzers) await fuzzer.settle();
  session.summarise();
  return session.findings;
}

/** Tries one case; returns how many findings there were. */
export async function replay(file: string, say: (line: string) => void): Promise<number> {
  const sample = readCaseFile(file);
  await using target = await KINDS[sample.target].open();
  try {
    say(`${sample.target}: ${await target.run(sample)}`);
    await target.settle?.();
    return 0;
  } catch (error) {
    say(`${sample.target}: ${(error as Error).stack}`);
    if (error instanceof Error && 'detail' in error) say(String(error.detail));
    return 1;
  }
}

class Session implements AsyncDisposable {
  readonly fuzzers: Fuzzer[] = [];
  findings = 0;
  current: Fuzzer | undefined;
  readonly #say: (line: string) => void;
  readonly #spentMs = new Map<TargetName, number>();
  #progressAtMs = performance.now() + PROGRESS_MS;

  private constructor(say: (line: string) => void) {
    this.#say = say;
  }

  static async open(plan: FuzzPlan & { seed: string }, say: (line: string) => void): Promise<Session> {
    const session = new Session(say);
    const known = [...readCorpus(CORPUS), ...(plan.corpus === undefined ? [] : readCorpus(plan.corpus))];
    for (const name of plan.targets) {
      const { corpus } = plan;
      const fuzzer = await Fuzzer.open(KINDS[name], {
        seed: plan.seed,
        corpus: known.filter(({ target }) => target === name),
        onFound: (found) => session.#tell(found),
        ...(corpus !== undefined && { onNew: (sample) => void writeCase(corpus, sample) }),
      });
      session.fuzzers.push(fuzzer);
    }
    process.on('uncaughtException', session.takeUncaught);
    return session;
  }

  /** Tries the corpus of one target. */
  async begin(fuzzer: Fuzzer): Promise<void> {
    this.current = fuzzer;
    await fuzzer.tryCorpus();
  }

  /** Tries cases of one target for its turn. */
  async turn(fuzzer: Fuzzer, isOver: () => boolean): Promise<void> {
    const begin = performance.now();
    this.current = fuzzer;
    const isTurnOver = () => isOver() || fuzzer.isDone || performance.now() - begin >= TURN_MS;
    while (!isTurnOver()) await fuzzer.step();
    const { name } = fuzzer.kind;
    this.#spentMs.set(name, (this.#spentMs.get(name) ?? 0) + performance.now() - begin);
    if (performance.now() < this.#progressAtMs) return;
    this.#progressAtMs = performance.now() + PROGRESS_MS;
    this.summarise();
  }

  /** An uncaught error belongs to the case that is tried now. */
  readonly takeUncaught = (error: unknown): void => {
    const { current } = this;
    if (current === undefined) throw error;
    current.take(error);
  };

  summarise(): void {
    for (const { kind, executions, reached } of this.fuzzers) {
      const seconds = (this.#spentMs.get(kind.name) ?? 0) / 1000;
      const rate = seconds > 0 ? Math.round(executions / seconds) : 0;
      this.#say(`${kind.name}: ${executions} cases, ${rate} a second, ${reached} outcomes`);
    }
    this.#say(`${this.findings} findings`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('uncaughtException', this.takeUncaught);
    for (const fuzzer of this.fuzzers) await fuzzer[Symbol.asyncDispose]();
  }

  #tell({ message, detail, sample }: Found): void {
    this.findings++;
    const path = relative('', writeCase(FINDINGS, sample));
    this.#say(`FOUND in ${sample.target}: ${message}`);
    if (detail !== '') this.#say(detail.slice(0, 2000));
    this.#say(`replay it: npm run fuzz -- --replay ${path}`);
  }
}
