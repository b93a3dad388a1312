import { existsSync } from 'node:fs';
import { run } from '../../packages/host/src/process/run.ts';
import type { Bench } from '../bench.ts';
import type { FigureKey } from '../figures.ts';
import { onCore } from '../frame/cores.ts';
import type { Portholed } from '../peers/porthole.ts';

/** LXD's client. */
const LXC = '/usr/bin/lxc';
const MS_PER_S = 1000;

/** Times `lxc list`, if LXD's client is there, and checks that it shows all instances as running. */
export async function addList(
  bench: Bench,
  daemon: Portholed,
  { figure, size, options = [] }: { figure: FigureKey; size: number; options?: readonly string[] },
): Promise<void> {
  if (!existsSync(LXC)) return bench.results.remark('lxc', 'not installed');
  bench.results.add(figure, String(size), await listSeconds(bench, daemon, size, options));
}

async function listSeconds(
  { folder }: Bench,
  { stateDir }: Portholed,
  size: number,
  options: readonly string[],
): Promise<number> {
  const [program, ...args] = onCore('all', [LXC, 'list', '--format', 'csv', ...options]);
  const env = { PATH: '/usr/bin:/bin', HOME: folder, LXD_DIR: stateDir };
  const before = performance.now();
  const { ok, failure, stdout } = await run(program, args, { cwd: '/', env });
  if (!ok) throw new Error(failure);
  const seconds = (performance.now() - before) / MS_PER_S;
  const running = stdout.split('\n').filter((line) => line.includes('RUNNING')).length;
  if (running !== size) throw new Error(`lxc list shows ${running} running instances`);
  return seconds;
}
