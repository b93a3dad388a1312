import type { Bench } from '../bench.ts';
import type { Host, Hosts } from './hosts.ts';

/** The profile that all instances use. */
const PROFILE = '/1.0/profiles/default';
const NS_PER_S = 1e9;

/** An operator changes a key of the profile that the instances of all members use; all of them listen. */
export async function measureEdit(bench: Bench, { members }: Hosts): Promise<void> {
  const { plan, results, say, signal } = bench;
  const users = members.reduce((sum, { size }) => sum + size, 0);
  const column = String(users);
  say(`fleet: a profile with ${users} users`);
  for (const { crowd, size } of members) await crowd.listen(size);
  for (let round = -1; round < plan.fleetRounds; round++) {
    signal.throwIfAborted();
    await worstDelays(members);
    const { answer, last } = await edit(members, String(round));
    const { p99, most } = await worstDelays(members);
    // The first one warms up.
    if (round < 0) continue;
    results.add('fleet-edit', column, answer);
    results.add('fleet-edit-last', column, last);
    results.add('fleet-edit-p99', column, p99);
    results.add('fleet-edit-most', column, most);
  }
  for (const { crowd, size } of members) await crowd.leave(size);
}

/** @returns seconds to the operator's answer, and to the last event */
async function edit(
  members: Hosts['members'],
  value: string,
): Promise<{ readonly answer: number; readonly last: number }> {
  const before = process.hrtime.bigint();
  const seconds = (at: bigint) => Number(at - before) / NS_PER_S;
  const arrived = Promise.all(members.map(lastEvent));
  await members[0].daemon.client.change('PATCH', PROFILE, { json: { config: { 'user.fleet': value } } });
  const answer = seconds(process.hrtime.bigint());
  return { answer, last: Math.max(...(await arrived).map(seconds)) };
}

/** When the last instance of a member has got its event. */
async function lastEvent({ crowd, size }: Host): Promise<bigint> {
  const missing = new Set(Array.from({ length: size }, (_, number) => number));
  let last = 0n;
  while (missing.size > 0) {
    const { number, at } = await crowd.nextEvent();
    if (!missing.delete(number)) throw new Error(`${number} got an event twice`);
    if (at > last) last = at;
  }
  return last;
}

/** The worst of the main threads, in ms. The first call begins to watch them, the second one ends it, and so on. */
export async function worstDelays(hosts: readonly Host[]): Promise<{ p99: number; most: number }> {
  const all = await Promise.all(hosts.map(({ daemon }) => daemon.delays()));
  return { p99: Math.max(...all.map(({ p99 }) => p99)), most: Math.max(...all.map(({ most }) => most)) };
}
