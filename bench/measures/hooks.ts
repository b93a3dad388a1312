import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../packages/host/src/process/run.ts';
import { hookOf, mountOf } from '../../packages/host/src/setup/edits.ts';
import type { Bench } from '../bench.ts';
import { onCore } from '../frame/cores.ts';
import { interleave } from '../frame/rounds.ts';
import { buildForm } from '../peers/built.ts';
import { Portholed } from '../peers/porthole.ts';

const BUSYBOX = '/bin/busybox';
/** A hook that does nothing. */
const TRUE = { path: '/bin/true' };

/** p. What the hook adds to the start of a container: the same container with it, and with one that does nothing. */
export async function measureHooks(bench: Bench): Promise<void> {
  const { folder, plan, results, say, signal } = bench;
  say('hooks: building');
  const built = await buildForm(bench, 'hooks-built');
  const daemon = new Portholed(join(folder, 'hooks'), built);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => daemon.destroy());
  await daemon.start({ cores: 'all' });
  const place = { stateDir: daemon.stateDir, bin: join(built, 'bin'), required: true };
  const bundles = {
    porthole: await makeBundle(bench, 'with-hook', {
      hooks: { createRuntime: [hookOf(place, 'createRuntime')], poststop: [TRUE] },
      mounts: [mountOf(place)],
    }),
    true: await makeBundle(bench, 'without-hook', {
      hooks: { createRuntime: [TRUE], poststop: [TRUE] },
      mounts: [],
    }),
  };
  const time = async ([name, bundle]: [string, string], counts: boolean) => {
    signal.throwIfAborted();
    const [program, ...args] = onCore('all', ['runc', 'run', '--bundle', bundle, `porthole-bench-${name}`]);
    const before = performance.now();
    const { ok, failure } = await run(program, args, { cwd: '/' });
    if (!ok) throw new Error(`${name}: ${failure}`);
    if (counts) results.add('hook-start', name, performance.now() - before);
  };
  say('hooks: containers that start and end');
  await interleave(
    Object.entries(bundles),
    plan.commandRounds,
    (bundle) => time(bundle, true),
    (bundle) => time(bundle, false),
  );
  const [its, others] = [results.of('hook-start', 'porthole'), results.of('hook-start', 'true')];
  for (const [round, ms] of its.entries())
    results.add('hook-adds', 'porthole', ms - (others[round] as number));
}

interface Edits {
  readonly hooks: object;
  readonly mounts: readonly object[];
}

/** A bundle whose program ends at once. @returns its folder */
async function makeBundle({ folder }: Bench, name: string, { hooks, mounts }: Edits): Promise<string> {
  const bundle = join(folder, name);
  await mkdir(join(bundle, 'rootfs/bin'), { recursive: true });
  await copyFile(BUSYBOX, join(bundle, 'rootfs/bin/busybox'));
  const { ok, failure } = await run('runc', ['spec', '--bundle', bundle], { cwd: '/' });
  if (!ok) throw new Error(failure);
  const path = join(bundle, 'config.json');
  const { default: spec } = await import(path, { with: { type: 'json' } });
  const process = { ...spec.process, terminal: false, args: ['/bin/busybox', 'true'] };
  await writeFile(path, JSON.stringify({ ...spec, process, hooks, mounts: [...spec.mounts, ...mounts] }));
  return bundle;
}
