import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { Harness } from './testing/harness.ts';
import { LinkedHosts } from './testing/linked-hosts.ts';

let fleet: LinkedHosts;
let m1: Harness;
let m2: Harness;

beforeEach(async () => {
  fleet = await LinkedHosts.start('m1', 'm2');
  [m1, m2] = [fleet.host('m1'), fleet.host('m2')];
});

afterEach(() => fleet.stop());

const tell = (host: Harness, source: string) => host.backend.operations.lifecycle('told', source);

it('the event stream has the events of all members from its handshake on, each with its member', async () => {
  const inbox = await m1.websocket('/1.0/events');
  tell(m2, 'x');
  expect(await inbox.nextJson()).toMatchObject({
    location: 'm2',
    type: 'lifecycle',
    metadata: { source: 'x' },
  });
  tell(m1, 'y');
  expect(await inbox.nextJson()).toMatchObject({ location: 'm1', metadata: { source: 'y' } });
  const { id } = m2.backend.operations.begin({ description: 'z' });
  expect(await inbox.nextJson()).toMatchObject({ location: 'm2', metadata: { id, location: 'm2' } });
});

it('holds only the types that were asked for, and positions only of the own member', async () => {
  const inbox = await m1.websocket('/1.0/events?type=lifecycle&since=0');
  m2.backend.operations.begin({ description: 'z' });
  tell(m2, 'x');
  expect(await inbox.nextJson()).not.toHaveProperty('sequence');
  tell(m1, 'y');
  expect(await inbox.nextJson()).toMatchObject({ sequence: 1, location: 'm1' });
});

it('is not doubled: a member gets only the own events of another', async () => {
  const [one, other] = [await m1.websocket('/1.0/events'), await m2.websocket('/1.0/events')];
  for (const source of ['a', 'b', 'c']) tell(m1, source);
  tell(m2, 'end');
  const sources = async (inbox: typeof one) => {
    const seen: string[] = [];
    while (seen.length < 4) seen.push((await inbox.nextJson()).metadata.source);
    return seen.sort();
  };
  expect(await sources(one)).toEqual(['a', 'b', 'c', 'end']);
  expect(await sources(other)).toEqual(['a', 'b', 'c', 'end']);
});

it('opens while a member does not answer, and has its events when it is there', async () => {
  fleet.setOnline('m2', false);
  const inbox = await m1.websocket('/1.0/events');
  tell(m2, 'unheard');
  fleet.setOnline('m2', true);
  while (m2.backend.listenerCount > 0 && m2.backend.heart.events.length === 0)
    await new Promise(setImmediate);
  const later = await m1.websocket('/1.0/events');
  tell(m2, 'heard');
  for (const each of [inbox, later]) expect((await each.nextJson()).metadata.source).toBe('heard');
});

it('goes on with a member that joins later', async () => {
  const inbox = await m1.websocket('/1.0/events');
  const m3 = await fleet.add('m3');
  await m1.websocket('/1.0/events');
  tell(m3, 'new');
  expect(await inbox.nextJson()).toMatchObject({ location: 'm3', metadata: { source: 'new' } });
});
