import type { StoredCase } from './case-file.ts';
import { checkLeaks } from './leaks.ts';
import { minimise } from './minimise.ts';
import { Random } from './random.ts';
import { type Case, Finding, type Target, type TargetKind } from './target.ts';

/** How many cases are kept because they reached something new; after that a new one replaces an old one. */
const KEPT_MAX = 2000;
/** Number of cases after which the fuzzer checks that nothing is left of them. */
const SETTLE_EVERY = 250;
/** Number of findings after which a target is not tried any more. */
const FINDINGS_MAX = 20;

const CASE_TIME_MAX_MS = 40_000;

/** A finding, and the smallest case known that shows it. */
export interface Found {
  readonly message: string;
  readonly detail: string;
  readonly sample: StoredCase;
}

export interface FuzzerOptions {
  readonly seed: string;
  readonly corpus: readonly Case[];
  onFound(found: Found): void;
  /** Gets each case that has reached something new. */
  onNew?(sample: StoredCase): void;
}

/** Tries one target, case after case. The cases depend only on the seed and the corpus. */
export class Fuzzer implements AsyncDisposable {
  readonly kind: TargetKind;
  readonly #target: Target;
  readonly #options: FuzzerOptions;
  readonly #corpus: Case[];
  readonly #reached = new Set<string>();
  readonly #found = new Set<string>();
  /** The case that is tried now. */
  #current: Case | undefined;
  executions = 0;

  private constructor(kind: TargetKind, target: Target, options: FuzzerOptions) {
    this.kind = kind;
    this.#target = target;
    this.#options = options;
    this.#corpus = [...options.corpus];
  }

  static async open(kind: TargetKind, options: FuzzerOptions): Promise<Fuzzer> {
    return new Fuzzer(kind, await kind.open(), options);
  }

  /** How many different outcomes have been reached. */
  get reached(): number {
    return this.#reached.size;
  }

  get isDone(): boolean {
    return this.#found.size >= FINDINGS_MAX;
  }

  /** Tries the cases of the corpus. */
  async tryCorpus(): Promise<void> {
    for (const sample of this.#options.corpus) await this.#try(sample);
  }

  /** Tries the next case. */
  async step(): Promise<void> {
    const random = new Random(`${this.#options.seed}/${this.kind.name}/${this.executions}`);
    const sample = await this.kind.make(random, this.#corpus);
    if ((await this.#try(sample)) === 'new') this.#keep(sample, random);
    if (this.executions % SETTLE_EVERY === 0) await this.settle();
  }

  /** Checks that nothing is left of the cases so far. */
  async settle(): Promise<void> {
    const empty = { bytes: Buffer.alloc(0), cuts: [] };
    await this.#watch(empty, async () => {
      await checkLeaks();
      await this.#target.settle?.();
      return '';
    });
  }

  /** Reports an uncaught error as a finding of the case that is tried now. */
  take(error: unknown): void {
    const { message, detail } = findingOf(error);
    if (this.#found.has(message) || this.#current === undefined) return;
    this.#found.add(message);
    this.#options.onFound({ message, detail, sample: this.#stored(this.#current, message) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  async #try(sample: Case): Promise<'new' | 'known'> {
    this.executions++;
    this.#current = sample;
    const signature = await this.#watch(sample, () => inTime(this.#target.run(sample)));
    if (signature === undefined || this.#reached.has(signature)) return 'known';
    this.#reached.add(signature);
    return 'new';
  }

  #keep(sample: Case, random: Random): void {
    if (this.#corpus.length < KEPT_MAX) this.#corpus.push(sample);
    else this.#corpus[random.below(KEPT_MAX)] = sample;
    this.#options.onNew?.(this.#stored(sample, ''));
  }

  /** @returns undefined after a finding */
  async #watch(sample: Case, run: () => Promise<string>): Promise<string | undefined> {
    try {
      return await run();
    } catch (error) {
      const { message, detail } = findingOf(error);
      if (this.#found.has(message)) return undefined;
      this.#found.add(message);
      const smallest = sample.bytes.length === 0 ? sample : await this.#minimise(sample, message);
      this.#options.onFound({ message, detail, sample: this.#stored(smallest, message) });
      return undefined;
    }
  }

  #minimise(sample: Case, message: string): Promise<Case> {
    return minimise(sample, async (smaller) => {
      try {
        await inTime(this.#target.run(smaller));
        return false;
      } catch (error) {
        return findingOf(error).message === message;
      }
    });
  }

  #stored(sample: Case, note: string): StoredCase {
    return { ...sample, target: this.kind.name, note };
  }
}

/** Each wait of a target has its own deadline; this one catches waits that lack one. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Finding('a case does not end')), CASE_TIME_MAX_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** An unexpected error is a finding too. */
function findingOf(error: unknown): Finding {
  if (error instanceof Finding) return error;
  return error instanceof Error ? new Finding(error.message, error.stack) : new Finding(String(error));
}
