import type { Bench } from '../bench.ts';
import type { Population } from '../peers/population.ts';

const KIB_PER_MIB = 1024;
const MS_PER_S = 1000;

/**
 * m. Resident memory of the daemon after garbage collection, by the kernel's count: at rest, then with
 * connections. The daemon is started again each time, because it does not give back memory once needed.
 */
export async function measureMemory(bench: Bench): Promise<void> {
  const { plan, results, say, signal } = bench;
  const few = await bench.population(plan.sizes[0]);
  const many = await bench.population(plan.memoryInstances);
  say(`memory: ${few.size} and ${many.size} instances at rest, with connections, with listeners`);
  for (let round = 0; round < plan.rounds; round++) {
    signal.throwIfAborted();
    const least = await restartedKib(few);
    const most = await restartedKib(many);
    results.add('memory-rest', String(few.size), least / KIB_PER_MIB);
    results.add('memory-rest', String(many.size), most / KIB_PER_MIB);
    results.add('memory-instance', 'porthole', (most - least) / (many.size - few.size));
    await measureConnections(bench, many, most);
    await measureListening(bench, many, await restartedKib(many));
  }
}

/** Memory for one kept connection of each instance. @param rest KiB without connections */
async function measureConnections({ results }: Bench, population: Population, rest: number): Promise<void> {
  const { size, crowd } = population;
  const started = performance.now();
  await crowd.hold(size, 1);
  results.add('answered-seconds', String(size), (performance.now() - started) / MS_PER_S);
  results.add('memory-connection', 'porthole', ((await residentKib(population)) - rest) / size);
  await crowd.leave(size);
}

/** The same for one listener in each instance. */
async function measureListening({ results }: Bench, population: Population, rest: number): Promise<void> {
  const { size, crowd } = population;
  await crowd.listen(size);
  results.add('memory-listener', 'porthole', ((await residentKib(population)) - rest) / size);
  results.add('files-listening', String(size), population.daemon.openFiles());
  await crowd.leave(size);
}

async function restartedKib(population: Population): Promise<number> {
  await population.daemon.stop();
  await population.daemon.start({ collectable: true });
  return residentKib(population);
}

/** Resident KiB after garbage collection. */
async function residentKib({ daemon }: Population): Promise<number> {
  await daemon.collectGarbage();
  return daemon.residentKib();
}
