import type { Bench } from '../bench.ts';
import { percentile } from '../frame/stats.ts';

/** Requests of one instance: cloud-init's sequence in `load/native/member.c`. */
const REQUESTS = 5;
const MS_PER_S = 1000;

/**
 * c. Many instances boot at the same time. Each makes cloud-init's requests, with a new connection for each.
 */
export async function measureStorm({ plan, results, say, signal, population }: Bench): Promise<void> {
  const { size, crowd } = await population(plan.stormInstances);
  say(`boot storm: ${size} instances`);
  await crowd.storm(size);
  for (let round = 0; round < plan.rounds; round++) {
    signal.throwIfAborted();
    const started = performance.now();
    const took = await crowd.storm(size);
    const seconds = (performance.now() - started) / MS_PER_S;
    results.add('storm-seconds', String(size), seconds);
    results.add('storm-rate', String(size), (size * REQUESTS) / seconds);
    results.add('storm-p99', String(size), percentile(took, 99));
  }
}
