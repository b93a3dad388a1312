import type { Bench } from '../bench.ts';
import { untilAtRest } from '../frame/at-rest.ts';
import { interleave } from '../frame/rounds.ts';
import { percentile } from '../frame/stats.ts';
import { timeToEvent } from '../peers/changes.ts';
import { memberName, type Population } from '../peers/population.ts';

/** d. Time to the event with many listening instances. One is changed at a time and must get its event. */
export async function measureListeners(bench: Bench): Promise<void> {
  const { plan, results, say } = bench;
  const population = await bench.population(plan.sizes.at(-1) as number);
  say(`events: ${plan.listeners.join(', ')} listeners among ${population.size} instances`);
  await interleave(plan.listeners, plan.rounds, async (listeners) => {
    const took = await eventTimes(bench, population, listeners);
    results.add('listeners-median', String(listeners), percentile(took, 50));
    results.add('listeners-p99', String(listeners), percentile(took, 99));
  });
}

/** Distance from one changed instance to the next. */
const STRIDE = 997;

/**
 * Lets the first `listeners` instances listen, waits until the daemon is at rest, and changes one at a time.
 * @returns the time from each request of the operator to the event in the instance, in ms
 */
export async function eventTimes(
  { plan, signal }: Bench,
  { crowd, daemon }: Population,
  listeners: number,
): Promise<number[]> {
  await crowd.listen(listeners);
  await untilAtRest(daemon.pid);
  const took: number[] = [];
  for (let change = -plan.warmUpChanges; change < plan.changes; change++) {
    signal.throwIfAborted();
    const number = ((change + plan.warmUpChanges) * STRIDE) % listeners;
    const arrived = async () => {
      const event = await crowd.nextEvent();
      if (event.number !== number) throw new Error(`${number} was changed, ${event.number} got the event`);
      return event.at;
    };
    const ms = await timeToEvent(daemon.client, memberName(number), arrived);
    if (change >= 0) took.push(ms);
  }
  await crowd.leave(listeners);
  return took;
}
