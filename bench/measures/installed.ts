import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { run } from '../../packages/host/src/process/run.ts';
import type { Bench } from '../bench.ts';
import { onCore } from '../frame/cores.ts';
import { interleave } from '../frame/rounds.ts';
import { buildForm } from '../peers/built.ts';
import { hasLxd, LXD, startEmptyLxd } from '../peers/lxd.ts';
import { populate } from '../peers/population.ts';
import { Portholed } from '../peers/porthole.ts';

const LXC = '/usr/bin/lxc';
/** How many instances are adopted for the last figure. */
const MANY = 5000;
const MS_PER_S = 1000;
const KIB_PER_MIB = 1024;

/** l. Compares the built form, which users install, with the sources, LXD's client and LXD. */
export async function measureInstalled(bench: Bench): Promise<void> {
  const { folder, plan, say } = bench;
  say('installed: building');
  const built = await buildForm(bench, 'built');
  await using stack = new AsyncDisposableStack();
  const daemons = { porthole: daemonOf('porthole', built), sources: daemonOf('sources', plan.checkout) };
  for (const daemon of Object.values(daemons)) stack.defer(() => daemon.destroy());
  await measureStart(bench, daemons);
  await measureList(bench, daemons);
  await measureRest(bench, daemons.porthole, join(built, 'bin/node'), stack);
  const added = await populated(bench, built);
  const alone = bench.results.of('rest', 'porthole').at(-1) as number;
  bench.results.add('rest-many', String(MANY), added - alone);

  function daemonOf(name: string, checkout: string): Portholed {
    mkdirSync(join(folder, 'installed'), { recursive: true });
    return new Portholed(join(folder, 'installed', name), checkout);
  }
}

type Daemons = Readonly<Record<'porthole' | 'sources', Portholed>>;

/** Seconds from the start of the program to the first answer for an operator, with an empty store. */
async function measureStart({ plan, results, say, signal }: Bench, daemons: Daemons): Promise<void> {
  say('installed: start with an empty store');
  const once = async ([name, daemon]: [string, Portholed], counts: boolean) => {
    signal.throwIfAborted();
    await daemon.stop();
    const started = performance.now();
    await daemon.start({ cores: 'all' });
    await daemon.client.get('/1.0');
    if (counts) results.add('start-empty', name, (performance.now() - started) / MS_PER_S);
  };
  const all = Object.entries(daemons);
  await interleave(
    all,
    plan.rounds,
    (daemon) => once(daemon, true),
    (daemon) => once(daemon, false),
  );
}

/** Milliseconds of one command, from its start to its end, with the daemon running. */
async function measureList({ folder, plan, results, say, signal }: Bench, daemons: Daemons): Promise<void> {
  say('installed: porthole list and lxc list');
  const commands: Record<string, readonly string[]> = {
    porthole: daemons.porthole.command('list'),
    sources: daemons.sources.command('list'),
    node: [process.execPath, '-e', '0'],
  };
  if (existsSync(LXC)) commands['lxc'] = [LXC, 'list'];
  else results.remark('lxc', 'not installed');
  const env = { PATH: '/usr/bin:/bin', HOME: folder, LXD_DIR: daemons.porthole.stateDir };
  const time = async ([name, command]: [string, readonly string[]], counts: boolean) => {
    signal.throwIfAborted();
    const [program, ...args] = onCore('all', command);
    const before = performance.now();
    const { ok, failure } = await run(program, args, { cwd: '/', env });
    if (!ok) throw new Error(`${name}: ${failure}`);
    if (counts) results.add('command', name, performance.now() - before);
  };
  await interleave(
    Object.entries(commands),
    plan.commandRounds,
    (command) => time(command, true),
    (command) => time(command, false),
  );
}

/** Memory at rest with an empty store, of both daemons in the same minute; before it that of Node alone. */
async function measureRest(
  bench: Bench,
  daemon: Portholed,
  node: string,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { folder, plan, results, say } = bench;
  await daemon.stop();
  results.add('rest', 'node', await restOfNode(node));
  await daemon.start({ cores: 'all' });
  const pids: Record<string, number> = { porthole: daemon.pid };
  if (hasLxd()) {
    // A copy, as of Node: another LXD on this machine would share the pages.
    const copy = join(folder, 'lxd-copy');
    await copyFile(LXD, copy);
    pids['lxd'] = stack.use(await startEmptyLxd(join(folder, 'installed-lxd'), 'dir', copy)).pid;
  }
  say(`installed: ${plan.restSeconds} s at rest`);
  await wait(plan.restSeconds * MS_PER_S, undefined, { signal: bench.signal });
  for (const [name, pid] of Object.entries(pids)) results.add('rest', name, await sharedMib(pid));
}

/** @returns MiB of a Node that does nothing, as soon as it is there */
async function restOfNode(node: string): Promise<number> {
  const child = spawn(node, ['-e', 'process.stdout.write("."); setInterval(() => {}, 1e6)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    return await sharedMib(child.pid as number);
  } finally {
    child.kill();
    await ended;
  }
}

/** @returns MiB at rest of a daemon with many adopted instances */
async function populated({ folder, tools, plan, say, signal }: Bench, built: string): Promise<number> {
  say(`installed: ${MANY} adopted instances`);
  const within = { folder: join(folder, 'installed'), tools, plan, signal };
  await using many = await populate(within, MANY, { checkout: built });
  await many.daemon.stop();
  await many.daemon.start({ cores: 'all' });
  await wait(plan.restSeconds * MS_PER_S, undefined, { signal });
  return sharedMib(many.daemon.pid);
}

/** MiB of a process and its children. A page that n processes share counts as 1/n for each of them. */
async function sharedMib(pid: number): Promise<number> {
  const kib = Number(/^Pss:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
  let sum = kib / KIB_PER_MIB;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8');
    for (const child of children.split(' ').filter(Boolean)) sum += await sharedMib(Number(child));
  }
  return sum;
}
