import { setTimeout as wait } from 'node:timers/promises';
import { path } from '../../packages/host/src/client/host-client.ts';
import type { MemberJson } from '../../packages/host/src/wire/cluster.ts';
import type { Bench } from '../bench.ts';
import { until } from '../frame/wait.ts';
import { GuestEvents } from './guest-events.ts';
import { type Host, type Hosts, SHARED_PROFILE } from './hosts.ts';

const KEY = 'user.fleet-away';
const COLUMN = 'fleet';
const MS_PER_S = 1000;
const BETWEEN_MS = 50;

/**
 * The third member is cut off from etcd, while an operator changes a profile at the first one. Then its instance must
 * get the events of all these changes, each once and in order.
 */
export async function measurePartition(bench: Bench, { members, passages }: Hosts): Promise<void> {
  const { plan, tools, results, say, signal } = bench;
  const [ma, , mc] = members;
  say(`fleet: a member is cut off from etcd for ${plan.awaySeconds} s`);
  using events = await GuestEvents.open(tools, mc.peer, KEY);
  await change(ma, 'before');
  await until('a member follows', () => events.values.length === 1);
  for (const passage of passages) passage.cut();
  const end = performance.now() + plan.awaySeconds * MS_PER_S;
  const made: string[] = [];
  while (performance.now() < end) {
    signal.throwIfAborted();
    made.push(`${made.length}`);
    await change(ma, made.at(-1) as string);
    await wait(BETWEEN_MS, undefined, { signal });
  }
  if (!(await isOffline(ma, mc)) || events.values.length > 1) throw new Error('the member was not cut off');
  const joined = performance.now();
  for (const passage of passages) passage.join();
  await until('the member has caught up', () => events.values.at(-1) === made.at(-1));
  results.add('fleet-away', COLUMN, plan.awaySeconds);
  results.add('fleet-missed', COLUMN, made.length);
  results.add('fleet-catch-up', COLUMN, (performance.now() - joined) / MS_PER_S);
  await until('the member is back', async () => !(await isOffline(ma, mc)));
  const { lost, doubled } = compare(made, events.values.slice(1));
  results.add('fleet-lost', COLUMN, lost);
  results.add('fleet-doubled', COLUMN, doubled);
}

function change({ daemon }: Host, value: string) {
  const json = { config: { [KEY]: value } };
  return daemon.client.change('PATCH', path`/1.0/profiles/${SHARED_PROFILE}`, { json });
}

async function isOffline({ daemon }: Host, { name }: Host): Promise<boolean> {
  const { status } = await daemon.client.get<MemberJson>(path`/1.0/cluster/members/${name}`);
  return status === 'Offline';
}

/** How many changes have no event, and how many events are not the next change. */
function compare(
  made: readonly string[],
  got: readonly string[],
): { readonly lost: number; readonly doubled: number } {
  const there = new Set(got);
  const inOrder = got.filter((value, at) => at === 0 || Number(value) > Number(got[at - 1]));
  return {
    lost: made.filter((value) => !there.has(value)).length,
    doubled: got.length - inOrder.length,
  };
}
