import type { Bench } from '../bench.ts';
import type { FigureKey } from '../figures.ts';
import { interleave } from '../frame/rounds.ts';
import { percentile } from '../frame/stats.ts';
import { churn, keepAlive } from '../load/loads.ts';
import { KEY_TARGET } from '../peers/peer.ts';
import type { Population } from '../peers/population.ts';
import { eventTimes } from './listeners.ts';

const LOAD = { target: KEY_TARGET, connections: 16 } as const;

/** g. Daemons with few and with many instances, side by side: rates of one instance, then events for all. */
export async function measureGrowth(bench: Bench): Promise<void> {
  const { plan, tools, results, say } = bench;
  const populations: Population[] = [];
  for (const size of plan.sizes) populations.push(await bench.population(size));
  say('growth: keep-alive');
  await rates('growth-keepalive', ({ peer }, seconds) => keepAlive(tools, peer, { ...LOAD, seconds }));
  say('growth: one connection per request');
  await rates('growth-churn', ({ peer }, seconds) => churn(tools, peer, { ...LOAD, seconds }));
  say('growth: events, all instances listen');
  await interleave(populations, plan.rounds, async (population) => {
    const took = await eventTimes(bench, population, population.size);
    results.add('growth-event-median', String(population.size), percentile(took, 50));
    results.add('growth-event-p99', String(population.size), percentile(took, 99));
  });

  function rates(figure: FigureKey, load: (population: Population, seconds: number) => Promise<number>) {
    return interleave(
      populations,
      plan.rounds,
      async (population) =>
        results.add(figure, String(population.size), await load(population, plan.seconds)),
      async (population) => void (await load(population, plan.warmUpSeconds)),
    );
  }
}
