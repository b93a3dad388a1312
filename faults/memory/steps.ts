import type { Change, NewEvent } from '../../packages/host/src/core/entities.ts';
import { hostError } from '../../packages/host/src/core/host-errors.ts';
import type { Heart } from '../../packages/host/src/instances/testing/heart.ts';
import { never } from '../../packages/host/src/instances/testing/life.ts';

/** Whether a fault comes before a step has any effect, or after all of its work. */
export type When = 'before' | 'after';

/** The ways in which a step can go wrong. */
export const FAULTS = ['kill', 'full disk', 'I/O error', 'failure', 'hang'] as const;
export type FaultKind = (typeof FAULTS)[number];

/** One step of some work: a call of what the use cases depend on. */
export interface Step {
  /** `runtime.start`, or `store.commit instance-started`. */
  readonly name: string;
  /** Its place among the steps of the work, from 0. */
  readonly at: number;
}

/** A fault to come: at which step, and what. */
export interface Fault {
  readonly at: number;
  readonly when: When;
  readonly kind: FaultKind;
}

/** Calls that answer at once; all others of the list below return promises. */
const SYNC = ['recall', 'halt', 'kill', 'checkConfig', 'checkStart', 'register', 'commit'];

const RUNTIME = [
  ...['create', 'remove', 'start', 'recall', 'recover', 'halt', 'kill', 'checkConfig', 'checkStart'],
  ...['setFrozen', 'checkDevice', 'foresee', 'withdraw', 'attach', 'detach', 'updateDevice'],
  ...['attachMissing', 'setGuestApiMount', 'setLimits', 'files'],
];

type Calls = Record<string, (...args: unknown[]) => unknown>;

/** Signals are sent or not: the kernel does not refuse them, and nothing waits for them. */
const SIGNALS = ['runtime.halt', 'runtime.kill'];

/**
 * Steps that may have done all of their work when they fail: a time limit ends their program, or the sync of the folder
 * fails after a rename. If another step fails, it leaves nothing.
 */
const LATE_FAILURES = [
  ...['create', 'remove', 'detach', 'setLimits', 'setGuestApiMount', 'updateDevice'].map(
    (verb) => `runtime.${verb}`,
  ),
  ...['attachMissing', 'withdraw'].map((verb) => `runtime.${verb}`),
  ...[
    'images.publish',
    'images.remove',
    'images.discard',
    'images.sweep',
    'roots.sweep',
    'roots.keepTemplates',
  ],
];

/** The faults that make sense at a step. */
export function faultsOf({ name, at }: Step): Fault[] {
  const of = (kind: FaultKind, when: When) => ({ at, kind, when });
  const [part = '', verb = ''] = name.split(/[ .]/);
  const kills = [of('kill', 'before'), of('kill', 'after')];
  if (SIGNALS.includes(name)) return kills;
  if (part === 'store') return [...kills, of('full disk', 'before'), of('I/O error', 'before')];
  const fails = (['full disk', 'I/O error', 'failure'] as const).map((kind) => of(kind, 'before'));
  if (SYNC.includes(verb)) return [...kills, of('failure', 'before')];
  const late = LATE_FAILURES.includes(`${part}.${verb}`) ? [of('I/O error', 'after')] : [];
  return [...kills, ...fails, ...late, of('hang', 'before')];
}

/** The error with which a step meets a fault. */
function errorOf(kind: FaultKind, step: string): Error {
  const inStore = step.startsWith('store.');
  if (kind === 'full disk' && inStore) return hostError('store-full', 'no room');
  if (kind === 'I/O error' && inStore) return hostError('store-failed', 'disk I/O error');
  if (kind === 'full disk') return Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  if (kind === 'I/O error') return Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  return hostError('runtime-failed', kind === 'hang' ? 'it does not answer' : 'a tool has failed');
}

/**
 * The steps of one daemon, named and counted. It stands between the use cases and what they depend on, so no code of
 * the daemon knows of it. It counts steps from a call of `arm` on, and causes one fault at the step with a given
 * number.
 */
export class Steps {
  seen: Step[] = [];
  /** Resolves when a step hangs. */
  hangs = Promise.withResolvers<void>();
  /** Whether the fault has come. */
  met = false;
  readonly #heart: Heart;
  /** Null also if it makes no sense at its step. */
  fault: Fault | null = null;
  #lets = Promise.withResolvers<void>();
  #counts = false;
  #full = false;

  constructor(heart: Heart) {
    this.#heart = heart;
    const { runtime, images, identity, store, parts } = heart;
    this.#stepInto('runtime', runtime, RUNTIME);
    this.#stepInto('adopter', parts.adopter, ['start', 'recall']);
    this.#stepInto('identity', identity, ['register']);
    this.#stepInto('roots', parts.roots, ['ensure', 'keepTemplates', 'templates', 'sweep']);
    this.#stepInto('images', images, ['receive', 'publish', 'discard', 'remove', 'takeAside', 'sweep']);
    this.#stepInto('store', store, ['commit']);
  }

  /** Counts steps from now on, and lets this fault come. */
  arm(fault: Fault | null): void {
    this.fault = fault;
    this.#counts = true;
    this.met = false;
    this.seen = [];
    this.hangs = Promise.withResolvers();
    this.#lets = Promise.withResolvers();
  }

  /** Ends the fault: what hung fails now, and the disk has room again. */
  clear(): void {
    this.#counts = false;
    this.#full = false;
    this.#lets.resolve();
  }

  #stepInto(part: string, object: object, verbs: readonly string[]): void {
    const calls = object as Calls;
    for (const verb of verbs) {
      const call = calls[verb]!.bind(object);
      const name = `${part}.${verb}`;
      calls[verb] = SYNC.includes(verb)
        ? (...args) => this.#sync(verb === 'commit' ? commitName(args) : name, () => call(...args))
        : (...args) => this.#async(name, () => call(...args) as Promise<unknown>);
    }
  }

  #sync(name: string, work: () => unknown): unknown {
    const step = this.#note(name);
    this.#meetNow(step, 'before');
    const result = work();
    this.#meetNow(step, 'after');
    return result;
  }

  async #async(name: string, work: () => Promise<unknown>): Promise<unknown> {
    if (this.#heart.life.over) return never();
    const step = this.#note(name);
    await this.#meet(step, 'before');
    const result = await work();
    if (name.endsWith('.remove')) this.#full = false;
    await this.#meet(step, 'after');
    return this.#heart.life.over ? never() : result;
  }

  #fits(step: Step): boolean {
    return faultsOf(step).some(({ kind, when }) => kind === this.fault?.kind && when === this.fault.when);
  }

  #note(name: string): Step {
    const step = { name, at: this.#counts ? this.seen.length : -1 };
    if (this.#counts) this.seen.push(step);
    return step;
  }

  #meetNow({ name, at }: Step, when: When): void {
    if (this.#full && when === 'before' && name.startsWith('store.')) throw errorOf('full disk', name);
    if (at < 0 || at !== this.fault?.at || when !== this.fault.when || !this.#fits({ name, at })) return;
    this.met = true;
    const { kind } = this.fault;
    if (kind === 'full disk') this.#full = true;
    if (kind === 'kill') this.#heart.life.end();
    throw kind === 'kill' ? new Error('this daemon has died') : errorOf(kind, name);
  }

  async #meet(step: Step, when: When): Promise<void> {
    const { kind, at } = this.fault ?? {};
    if (kind === 'hang' && step.at === at && when === this.fault?.when && this.#fits(step)) {
      this.met = true;
      this.hangs.resolve();
      await this.#lets.promise;
      if (this.#heart.life.over) return never();
      throw errorOf(kind, step.name);
    }
    try {
      this.#meetNow(step, when);
    } catch (error) {
      if (this.#heart.life.over) return never();
      throw error;
    }
  }
}

/** The name of a commit: its events, or its changes if it has no events. */
function commitName([changes, events]: unknown[]): string {
  const told = (events as readonly NewEvent[]).map(({ type, metadata }) =>
    String(metadata['action'] ?? type),
  );
  const kinds = (changes as readonly Change[]).map(({ kind }) => kind);
  return `store.commit ${[...new Set(told.length > 0 ? told : kinds)].join('+')}`;
}
