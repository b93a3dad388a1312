import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../fuzz/random.ts';
import type { FaultSpan } from '../check/fleet/record.ts';
import { type Draw, FAULTS } from './fault-kinds.ts';
import { nowMs } from './time.ts';
import type { FleetWorld } from './world.ts';

/** How long the longest fault takes: more than twice a lease. */
const LONGEST_MS = 14_000;
const SHORTEST_MS = 1_000;

/** Faults at the same time. */
const AT_ONCE = 2;

/** Between the begins of two faults. */
const PAUSE_MS = 2_500;

/** Lets faults come at random, some at a time, until told to stop. */
export class Faults {
  readonly spans: FaultSpan[] = [];
  readonly #world: FleetWorld;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  readonly #held = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  constructor(world: FleetWorld, random: Random, say: (line: string) => void) {
    this.#world = world;
    this.#random = random;
    this.#say = say;
  }

  /** How often each kind came. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { kind } of this.spans) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  /** Resolves when all faults are over. @throws the error of a fault that could not be ended */
  async walk(signal: AbortSignal): Promise<void> {
    const ways = FAULTS.flatMap(([name, weight, draw]) =>
      Array.from({ length: weight }, () => ({ name, draw })),
    );
    while (!signal.aborted) {
      if (this.#running.size < AT_ONCE) this.#begin(this.#random.pick(ways));
      await wait(this.#random.below(2 * PAUSE_MS), undefined, { signal }).catch(() => {});
    }
    await Promise.all(this.#running);
  }

  #begin({ name, draw }: { name: string; draw: Draw }): void {
    const drawn = draw(this.#world, this.#random);
    const ms = SHORTEST_MS + this.#random.below(LONGEST_MS - SHORTEST_MS);
    const holds = drawn?.holds ?? [];
    if (!drawn || holds.some((each) => this.#held.has(each))) return;
    for (const each of holds) this.#held.add(each);
    const span = { kind: name, hosts: drawn.hosts, begin: nowMs(), end: Number.POSITIVE_INFINITY };
    this.spans.push(span);
    this.#say(`${name}: ${drawn.hosts.join(', ')}, ${Math.round(ms / 100) / 10} s`);
    const running = drawn.run(ms).finally(() => {
      span.end = nowMs();
      for (const each of holds) this.#held.delete(each);
    });
    this.#running.add(running);
    void running.then(
      () => this.#running.delete(running),
      () => {},
    );
  }
}
