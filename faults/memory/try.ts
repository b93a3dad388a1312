import { mock } from 'node:test';
import { BY, Heart } from '../../packages/host/src/instances/testing/heart.ts';
import { checkRows } from '../check/check-rows.ts';
import { checkJournal, Ledger } from '../check/journal.ts';
import { checkMachine, checkShown, checkViews } from '../check/memory-world.ts';
import type { Rows } from '../check/rows.ts';
import { atRest, follow, rowsOf, shownBy, startNext } from './daemon.ts';
import type { Scenario } from './scenario.ts';
import { type Fault, type Step, Steps } from './steps.ts';

/** The end of one try. */
export interface Outcome {
  readonly steps: readonly Step[];
  /** Whether the fault has come. */
  readonly met: boolean;
  /** What does not agree, in sentences. */
  readonly violations: readonly string[];
}

type Ended = 'done' | 'refused' | 'killed';

/** A try takes milliseconds, as all of it is in memory. */
const TRY_MS_MAX = 20_000;
/** The real timers. During a try, the daemon has fake ones, which the walk moves. */
const { setTimeout, clearTimeout } = globalThis;

/** Does the work of a scenario, with one fault or none, starts the next daemon, and checks everything. */
export async function tryOnce(scenario: Scenario, fault: Fault | null): Promise<Outcome> {
  const late = Promise.withResolvers<Outcome>();
  const timer = setTimeout(
    () => late.resolve({ steps: [], met: true, violations: ['the work never ends'] }),
    TRY_MS_MAX,
  );
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    return await Promise.race([new Try(scenario, fault).run(), late.promise]);
  } finally {
    mock.timers.reset();
    clearTimeout(timer);
  }
}

class Try {
  readonly #scenario: Scenario;
  readonly #fault: Fault | null;
  #steps!: Steps;
  readonly #ledger = new Ledger();
  readonly #violations: string[] = [];

  constructor(scenario: Scenario, fault: Fault | null) {
    this.#scenario = scenario;
    this.#fault = fault;
  }

  async run(): Promise<Outcome> {
    const first = await Heart.begin();
    await this.#scenario.prepare(first);
    const { heart, work } = await this.#begin(first);
    const ended = await this.#end(heart, work);
    await this.#checkAlive(heart, ended);
    const last = await startNext(heart, (next) => follow(next, this.#ledger));
    await last.done;
    await atRest(last.heart);
    this.#checkAll('after the next start', last.heart);
    this.#checkState(ended, rowsOf(last.heart));
    await this.#checkDrained(last.heart);
    last.heart.stop();
    return { steps: this.#steps.seen, met: this.#steps.met, violations: this.#violations };
  }

  async #begin(first: Heart): Promise<{ heart: Heart; work: Promise<void> }> {
    const watch = (heart: Heart) => {
      follow(heart, this.#ledger);
      this.#steps = new Steps(heart);
      this.#steps.arm(this.#fault);
    };
    const { act } = this.#scenario;
    if (!act) {
      const { heart, done } = await startNext(first, watch);
      return { heart, work: done };
    }
    watch(first);
    return {
      heart: first,
      work: act(first, (...tells) => this.#ledger.ask(rowsOf(first).given.events, tells)),
    };
  }

  /** Waits until the work or its daemon has ended. */
  async #end(heart: Heart, work: Promise<void>): Promise<Ended> {
    const result = work.then(
      () => 'done' as const,
      () => 'refused' as const,
    );
    const killed = heart.life.ended.then(() => 'killed' as const);
    const hung = this.#steps.hangs.promise.then(() => 'hung' as const);
    const first = await Promise.race([killed, result, hung]);
    if (first !== 'hung') return first;
    await this.#checkNeighbour(heart);
    this.#steps.clear();
    return Promise.race([killed, result]);
  }

  /** While a step hangs, another instance can be changed. */
  async #checkNeighbour(heart: Heart): Promise<void> {
    if (!this.#scenario.act) return;
    let done = false;
    const change = { config: { 'user.who': 'o1, changed' } };
    void heart.host.instances.patch('o1', change, BY).then(() => {
      done = true;
    });
    await heart.quiet();
    if (!done) this.#violations.push('while the step hangs, another instance cannot be changed');
  }

  /** Checks what a daemon that still lives has done about the fault by itself. */
  async #checkAlive(heart: Heart, ended: Ended): Promise<void> {
    if (ended === 'killed') return;
    await heart.quiet();
    this.#steps.clear();
    await atRest(heart);
    // A kill may also come after the answer.
    if (heart.life.over) return;
    const rows = rowsOf(heart);
    const found = this.#mayLeave()
      ? [...checkJournal(rows, this.#ledger), ...checkViews(rows, shownBy(heart))]
      : this.#find(heart);
    this.#violations.push(...found.map((sentence) => `before the next start: ${sentence}`));
  }

  /** Whether the fault may leave something that only the next start settles: what is not stored, or not removed. */
  #mayLeave(): boolean {
    if (!this.#fault) return false;
    const { name = '' } = this.#steps.seen[this.#fault.at] ?? {};
    const leaves = name.startsWith('store.') || name.endsWith('.remove') || this.#fault.kind === 'full disk';
    return leaves || this.#fault.when === 'after' || !this.#scenario.act;
  }

  #find(heart: Heart): string[] {
    const rows = rowsOf(heart);
    return [
      ...checkRows(rows),
      ...checkJournal(rows, this.#ledger),
      ...checkMachine(rows, heart.machine),
      ...checkShown(rows, shownBy(heart)),
    ];
  }

  #checkAll(when: string, heart: Heart): void {
    this.#violations.push(...this.#find(heart).map((sentence) => `${when}: ${sentence}`));
  }

  #checkState(ended: Ended, rows: Rows): void {
    const { state, from, to, between = [], refused = [], settles } = this.#scenario;
    const may = settles ?? { done: [to], refused: [from, ...refused], killed: [from, to, ...between] }[ended];
    const is = state(rows);
    if (!may.includes(is)) this.#violations.push(`${ended}, and the state is ${is}, not ${may.join(' or ')}`);
  }

  /** Everything can still be ended and deleted, and then nothing is left. */
  async #checkDrained(heart: Heart): Promise<void> {
    const { host, machine } = heart;
    try {
      for (const { instance, status } of host.instances.list()) {
        const runs = status !== 'Stopped' && instance.config['volatile.adopted'] === undefined;
        if (runs) await heart.setState(instance.name, 'stop', { force: true });
        const isThere = heart.model.hasInstance(instance.name);
        if (isThere) await heart.done(host.instances.delete(instance.name, BY));
      }
      for (const { image } of host.images.list()) await heart.done(host.images.delete(image.fingerprint, BY));
    } catch (error) {
      this.#violations.push(`not all can be deleted: ${(error as Error).message}`);
    }
    await heart.quiet();
    const left = [...machine.folders, ...machine.runs.keys(), ...machine.images, ...machine.staged];
    const roots = [...machine.roots].filter((root) => !root.startsWith('empty-'));
    for (const each of [...left, ...roots]) this.#violations.push(`${each} is left when all is deleted`);
  }
}
