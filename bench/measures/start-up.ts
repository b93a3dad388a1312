import type { Bench } from '../bench.ts';
import { bind } from '../frame/cores.ts';
import { interleave } from '../frame/rounds.ts';

const MS_PER_S = 1000;

/**
 * h. Seconds from the daemon's start to its first answers, with running instances in the store; then until
 * each instance has an answer, which it gets once the daemon has recognised it.
 */
export async function measureStartUp({ plan, results, say, signal, population }: Bench): Promise<void> {
  const few = await population(plan.sizes[0]);
  const many = await population(plan.sizes.at(-1) as number);
  say(`start-up: ${few.size} and ${many.size} instances`);
  await interleave([few, many], plan.rounds, async ({ size, daemon, crowd }) => {
    signal.throwIfAborted();
    await daemon.stop();
    const started = performance.now();
    const seconds = () => (performance.now() - started) / MS_PER_S;
    await daemon.start({ cores: 'all' });
    await daemon.client.get('/1.0');
    await crowd.hold(1, 1);
    results.add('start-up', String(size), seconds());
    await crowd.hold(size, 1);
    results.add('start-all', String(size), seconds());
    await crowd.leave(size);
    await bind(daemon.pid, 'server');
  });
}
