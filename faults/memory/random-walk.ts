import { mock } from 'node:test';
import { Random } from '../../fuzz/random.ts';
import { Heart } from '../../packages/host/src/instances/testing/heart.ts';
import { checkRows } from '../check/check-rows.ts';
import { checkJournal, Ledger } from '../check/journal.ts';
import { checkMachine, checkShown } from '../check/memory-world.ts';
import { note, type Say, type Tally } from '../tally.ts';
import { atRest, follow, rowsOf, shownBy, startNext } from './daemon.ts';
import { OPERATIONS, prepareWalk } from './operations.ts';
import { FAULTS, type Fault, Steps } from './steps.ts';

/** How many operations run on one machine. Then the walk begins with a new machine. */
const OPERATIONS_MAX = 60;
/** Number of steps from which the walk chooses one. Most work has fewer steps. */
const STEPS_MAX = 14;
const FAULT_PERCENT = 60;
/** The same for starts of a daemon after a fault. */
const SECOND_FAULT_PERCENT = 30;

/** Does operations at random on one machine in memory, with faults at random steps, and checks after each of them. */
export async function roundInMemory(seed: string, tally: Tally, say: Say): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    await new Round(new Random(seed), tally, say, seed).run();
  } finally {
    mock.timers.reset();
  }
}

class Round {
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #say: Say;
  readonly #seed: string;
  readonly #ledger = new Ledger();
  #heart!: Heart;
  #steps!: Steps;

  constructor(random: Random, tally: Tally, say: Say, seed: string) {
    this.#random = random;
    this.#tally = tally;
    this.#say = say;
    this.#seed = seed;
  }

  async run(): Promise<void> {
    const heart = await Heart.begin();
    this.#watch(heart);
    await prepareWalk(heart);
    for (let count = 0; count < OPERATIONS_MAX; count++) {
      if (!(await this.#one(count))) break;
    }
    this.#heart.stop();
  }

  /** @returns false after a violation: what follows would only repeat it */
  async #one(count: number): Promise<boolean> {
    const operation = this.#random.pick(OPERATIONS);
    const fault = this.#random.percent(FAULT_PERCENT) ? this.#fault() : null;
    const heart = this.#heart;
    this.#steps.arm(fault);
    // No more events of earlier requests come.
    this.#ledger.ask(rowsOf(heart).given.events, []);
    const ask = (...tells: readonly string[]) => this.#ledger.ask(rowsOf(heart).given.events, tells);
    const ended = await this.#end(Promise.try(() => operation.act(heart, this.#random, ask)));
    const met = this.#met();
    if (this.#steps.met || heart.life.over) await this.#settle();
    else await atRest(heart);
    const found = this.#find();
    const where = `round ${this.#seed}, operation ${count}, ${operation.name} (${ended})${met}`;
    note(this.#tally, where, found, this.#say);
    return found.length === 0;
  }

  /** Starts daemons until one has put everything in order. Faults may also come during these starts. */
  async #settle(): Promise<void> {
    await this.#heart.quiet();
    this.#steps.clear();
    while (this.#random.percent(SECOND_FAULT_PERCENT)) {
      const { done } = await startNext(this.#heart, (heart) => this.#watch(heart, this.#fault()));
      await this.#end(done);
      this.#met();
      await this.#heart.quiet();
      this.#steps.clear();
    }
    const { done } = await startNext(this.#heart, (heart) => this.#watch(heart));
    await done;
    await atRest(this.#heart);
  }

  #watch(heart: Heart, fault: Fault | null = null): void {
    this.#heart = heart;
    follow(heart, this.#ledger);
    this.#steps = new Steps(heart);
    this.#steps.arm(fault);
  }

  /** Chooses a step and a fault. Whether the fault makes sense there is known only when the step is reached. */
  #fault(): Fault {
    const kind = this.#random.pick(FAULTS);
    return {
      at: this.#random.below(STEPS_MAX),
      when: kind === 'kill' && this.#random.percent(50) ? 'after' : 'before',
      kind,
    };
  }

  /** Notes the fault that has come. @returns it in words */
  #met(): string {
    const { seen, met, fault } = this.#steps;
    this.#tally.steps += seen.length;
    if (!met || !fault) return '';
    this.#tally.faults++;
    return `, ${seen[fault.at]?.name} ${fault.kind} ${fault.when}`;
  }

  async #end(work: Promise<unknown>): Promise<string> {
    const result = work.then(
      () => 'done',
      (error) => `refused: ${(error as Error).message}`,
    );
    const { life } = this.#heart;
    const killed = life.ended.then(() => 'killed');
    const hung = this.#steps.hangs.promise.then(() => 'hung');
    const first = await Promise.race([killed, result, hung]);
    if (first !== 'hung') return first;
    this.#steps.clear();
    return Promise.race([killed, result]);
  }

  #find(): string[] {
    const rows = rowsOf(this.#heart);
    return [
      ...checkRows(rows),
      ...checkJournal(rows, this.#ledger),
      ...checkMachine(rows, this.#heart.machine),
      ...checkShown(rows, shownBy(this.#heart)),
    ];
  }
}
