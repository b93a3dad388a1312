import { readdirSync, readFileSync } from 'node:fs';
import type { Bench } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import type { Population } from '../peers/population.ts';

const KIB_PER_MIB = 1024;
const MS_PER_S = 1000;

/**
 * f. What the daemon holds in memory, by the kernel's count of resident pages, its garbage collected: at rest, then
 * with connections. Each time it is started anew, because memory that was needed once is not given back.
 */
export async function measureMemory(bench: Bench): Promise<void> {
  await measureRest(bench);
  const { plan, results, say, signal } = bench;
  const population = await bench.population(plan.memoryInstances);
  const { size, crowd } = population;
  say(`memory: ${size} connections, ${size} listeners`);
  await interleave(['memory-connection', 'memory-listener'] as const, plan.rounds, async (figure) => {
    signal.throwIfAborted();
    const rest = await restartedKib(population);
    const started = performance.now();
    if (figure === 'memory-connection') await crowd.hold(size, 1);
    else await crowd.listen(size);
    const seconds = (performance.now() - started) / MS_PER_S;
    results.add(figure, 'porthole', ((await residentKib(population)) - rest) / size);
    if (figure === 'memory-connection') results.add('answered-seconds', String(size), seconds);
    else results.add('files-listening', String(size), openFiles(population));
    await crowd.leave(size);
  });
}

/** Few instances and many; what one instance takes is their difference. */
async function measureRest({ plan, results, say, signal, population }: Bench): Promise<void> {
  const few = await population(plan.sizes[0]);
  const many = await population(plan.memoryInstances);
  say(`memory: ${few.size} and ${many.size} instances at rest`);
  for (let round = 0; round < plan.rounds; round++) {
    signal.throwIfAborted();
    const [least, most] = [await restartedKib(few), await restartedKib(many)];
    results.add('memory-rest', String(few.size), least / KIB_PER_MIB);
    results.add('memory-rest', String(many.size), most / KIB_PER_MIB);
    results.add('memory-instance', 'porthole', (most - least) / (many.size - few.size));
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

function openFiles({ daemon }: Population): number {
  return readdirSync(`/proc/${daemon.pid}/fd`).length;
}
