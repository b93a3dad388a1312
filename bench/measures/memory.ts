import { readFileSync } from 'node:fs';
import type { Bench } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import type { Population } from '../peers/population.ts';

const KIB_PER_MIB = 1024;

/**
 * f. What the daemon holds in memory, by the kernel's count of resident pages, its garbage collected: at rest, then
 * with connections. Each time it is started anew, because memory that was needed once is not given back.
 */
export async function measureMemory(bench: Bench): Promise<void> {
  const { plan, results, say } = bench;
  const populations: Population[] = [];
  for (const size of plan.sizes) populations.push(await bench.population(size));
  say(`memory: ${plan.sizes.join(', ')} instances at rest`);
  await interleave(populations, plan.rounds, async (population) => {
    results.add('memory-rest', String(population.size), (await restartedKib(population)) / KIB_PER_MIB);
  });
  addPerInstance(bench);
  const largest = populations.at(-1) as Population;
  say(`memory: ${largest.size} connections, ${largest.size} listeners`);
  await interleave(['memory-connection', 'memory-listener'] as const, plan.rounds, async (figure) => {
    const rest = await restartedKib(largest);
    if (figure === 'memory-connection') await largest.crowd.hold(largest.size, 1);
    else await largest.crowd.listen(largest.size);
    results.add(figure, 'porthole', ((await residentKib(largest)) - rest) / largest.size);
    await largest.crowd.leave(largest.size);
  });
}

/** The difference between many instances and few, by their number. */
function addPerInstance({ plan, results }: Bench): void {
  const [few, many] = [plan.sizes[0], plan.sizes.at(-1) as number];
  const rests = [few, many].map((size) => results.of('memory-rest', String(size)));
  const [least = [], most = []] = rests;
  for (const [round, mib] of most.entries()) {
    const grown = (mib - (least[round] as number)) * KIB_PER_MIB;
    results.add('memory-instance', 'porthole', grown / (many - few));
  }
}

async function restartedKib(population: Population): Promise<number> {
  await population.daemon.stop();
  await population.daemon.start({ collectable: true });
  return residentKib(population);
}

/** What is resident once there is no garbage. */
async function residentKib({ daemon }: Population): Promise<number> {
  await daemon.collectGarbage();
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}
