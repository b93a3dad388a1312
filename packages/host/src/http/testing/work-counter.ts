import { Session } from 'node:inspector/promises';

/**
 * Counts the steps of work instead of its time: how often each block of the sources runs, from V8's coverage,
 * and how many characters, bytes and items the built-in functions get to look at, or return. A pattern counts
 * as one look at its text.
 */
export class WorkCounter {
  readonly #session = new Session();
  readonly #folder: string;

  /** @param folder beginning of the URLs of the code that is counted */
  constructor(folder: string) {
    this.#folder = folder;
    this.#session.connect();
    for (const [owner, names] of WATCHED) for (const name of names) watch(owner, name);
  }

  /** Begins to count. Code that was loaded before has no blocks. */
  async begin(): Promise<void> {
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  async count(work: () => unknown): Promise<number> {
    await this.#session.post('Profiler.takePreciseCoverage');
    looked = 0;
    work();
    const inside = looked;
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const blocks = result
      .filter(({ url }) => url.startsWith(this.#folder))
      .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges));
    return blocks.reduce((sum, { count }) => sum + count, inside);
  }
}

/** Characters, bytes and items that built-in functions of V8 and Node have looked at. */
let looked = 0;

type Method = (...args: unknown[]) => unknown;

const { prototype: pattern } = RegExp;
/** Functions whose work grows with their input; those that look at one place only are left out. */
const WATCHED: readonly (readonly [object, readonly PropertyKey[]])[] = [
  [String.prototype, namesOf(String.prototype, /^(at|charAt|charCodeAt|codePointAt|constructor)$/)],
  [Buffer.prototype, namesOf(Buffer.prototype, /^(constructor|parent|offset|subarray|read|write)/)],
  [
    Array.prototype,
    ['concat', 'every', 'filter', 'find', 'includes', 'indexOf', 'join', 'map', 'slice', 'some', 'sort'],
  ],
  [pattern, ['exec', 'test', Symbol.match, Symbol.matchAll, Symbol.replace, Symbol.search, Symbol.split]],
  [JSON, ['parse', 'stringify']],
  [Buffer, ['concat', 'from']],
];

const COMPARISONS: ReadonlySet<PropertyKey> = new Set(['startsWith', 'endsWith']);
const CUTS: ReadonlySet<PropertyKey> = new Set([
  'slice',
  'substring',
  'toString',
  'latin1Slice',
  'utf8Slice',
]);

function namesOf(owner: object, constant: RegExp): string[] {
  return Object.getOwnPropertyNames(owner).filter(
    (name) =>
      !constant.test(name) && typeof Object.getOwnPropertyDescriptor(owner, name)?.value === 'function',
  );
}

function watch(owner: object, name: PropertyKey): void {
  const methods = owner as Record<PropertyKey, Method>;
  const method = methods[name] as Method;
  methods[name] = function (this: unknown, ...args: unknown[]) {
    const result = method.apply(this, args);
    looked += 1 + lookedAt(this, name, args, result);
    return result;
  };
}

/** A search looks from its start to its finding, a cut at its result, and other functions at everything. */
function lookedAt(self: unknown, name: PropertyKey, args: readonly unknown[], result: unknown): number {
  const [what, from] = args;
  if (COMPARISONS.has(name)) return lengthOf(what);
  if (CUTS.has(name)) return lengthOf(result);
  const whole = lengthOf(self) || lengthOf(what);
  if (name !== 'indexOf') return whole + lengthOf(result);
  return (result === -1 ? whole : Number(result) + lengthOf(what)) - Number(from ?? 0);
}

function lengthOf(value: unknown): number {
  if (typeof value !== 'string' && !Array.isArray(value) && !(value instanceof Uint8Array)) return 0;
  return value.length;
}
