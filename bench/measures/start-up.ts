import type { Bench } from '../bench.ts';
import { bind } from '../frame/cores.ts';
import { interleave } from '../frame/rounds.ts';

/** h. From starting the daemon's program to its first answer, with instances in the store that all run. */
export async function measureStartUp({ plan, results, say, signal, population }: Bench): Promise<void> {
  const few = await population(plan.sizes[0]);
  const many = await population(plan.sizes.at(-1) as number);
  say(`start-up: ${few.size} and ${many.size} instances`);
  await interleave([few, many], plan.rounds, async ({ size, daemon }) => {
    signal.throwIfAborted();
    await daemon.stop();
    results.add('start-up', String(size), await daemon.start({ cores: 'all' }));
    await bind(daemon.pid, 'server');
  });
}
