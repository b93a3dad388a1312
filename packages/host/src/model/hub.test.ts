import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import type { StoredEvent } from '../core/entities.ts';
import type { HostEvent } from './events.ts';
import { EventHub } from './hub.ts';

const guestEvent = (sequence: number): StoredEvent => ({
  sequence,
  instanceId: 1,
  type: 'config',
  timestamp: '',
  metadata: {},
});
const hostEvent = (message: string): HostEvent => ({
  type: 'logging',
  timestamp: '',
  metadata: { message, level: 'info', context: {} },
});

let hub: EventHub;
let logged: object[];
let heard: string[];
beforeEach(() => {
  logged = [];
  heard = [];
  hub = new EventHub({ ...silentLog, error: (fields) => void logged.push(fields) });
});

const note = (prefix: string) => (event?: StoredEvent | HostEvent) =>
  void heard.push(`${prefix} ${event && 'sequence' in event ? event.sequence : ''}`);
const fail = () => {
  throw new Error('no');
};

describe('Listeners', () => {
  it('get the events of their instance, in the order of publishing', () => {
    hub.onGuest(1, note('one'));
    hub.onGuest(2, note('two'));
    for (const sequence of [1, 2]) hub.publishGuest(1, guestEvent(sequence));
    hub.publishGuest(2, guestEvent(3));
    hub.publishGuest(3, guestEvent(4));
    expect(heard).toEqual(['one 1', 'one 2', 'two 3']);
  });

  it('of the same instance all get its events', () => {
    for (const name of ['a', 'b']) hub.onGuest(1, note(name));
    hub.publishGuest(1, guestEvent(1));
    expect(heard).toEqual(['a 1', 'b 1']);
  });

  it('of views and of the host do not get other events', () => {
    hub.onView(1, () => void heard.push('view'));
    hub.onHost(note('host'));
    hub.onGuest(1, note('guest'));
    hub.publishView(1);
    expect(heard).toEqual(['view']);
    hub.publishHost(hostEvent('x'));
    expect(heard).toEqual(['view', 'host ']);
  });

  it('get nothing after they have unsubscribed, once or twice', () => {
    const ends = [hub.onGuest(1, note('a')), hub.onHost(note('b')), hub.onView(1, note('c'))];
    const kept = hub.onGuest(1, note('kept'));
    for (const end of [...ends, ...ends]) end();
    hub.publishGuest(1, guestEvent(1));
    hub.publishHost(hostEvent('x'));
    hub.publishView(1);
    expect(heard).toEqual(['kept 1']);
    kept();
  });

  it('that unsubscribe again do not end a later subscription to the same instance', () => {
    const end = hub.onGuest(1, note('a'));
    end();
    hub.onGuest(1, note('b'));
    end();
    hub.publishGuest(1, guestEvent(1));
    expect(heard).toEqual(['b 1']);
  });

  it('that fail are logged, and the others still get the event', () => {
    hub.onGuest(1, fail);
    hub.onGuest(1, note('a'));
    hub.onHost(fail);
    hub.onHost(note('b'));
    hub.onView(1, fail);
    hub.onView(1, note('c'));
    hub.publishGuest(1, guestEvent(1));
    hub.publishHost(hostEvent('x'));
    hub.publishView(1);
    expect(heard).toEqual(['a 1', 'b ', 'c ']);
    expect(logged).toHaveLength(3);
  });

  it('can unsubscribe while they are called', () => {
    const end = hub.onGuest(1, () => end());
    hub.onGuest(1, note('a'));
    hub.publishGuest(1, guestEvent(1));
    hub.publishGuest(1, guestEvent(2));
    expect(heard).toEqual(['a 1', 'a 2']);
  });
});

describe('Events of a large change', () => {
  it('reach the listeners of an instance before its later events, views first, in turns', async () => {
    hub.onView(1, note('view'));
    hub.onGuest(1, note('event'));
    const done = hub.publishInTurns(
      () => true,
      new Map(Array.from({ length: 300 }, (_, at) => [300 - at, [guestEvent(at)]] as const)),
    );
    hub.publishGuest(1, guestEvent(1000));
    await done;
    expect(heard).toEqual(['view ', 'event 299', 'event 1000']);
  });

  it('do not reach a listener that comes after their commit', async () => {
    for (let id = 1; id <= 300; id++) hub.onGuest(id, note(`first ${id}`));
    const events = new Map([...Array(300).keys()].map((at) => [at + 1, [guestEvent(1)]]));
    const done = hub.publishInTurns((id) => events.has(id), events);
    hub.onGuest(300, note('late'));
    expect(heard).toContain('first 300 1');
    await done;
    expect(heard).toHaveLength(300);
    expect(heard.filter((text) => text.startsWith('late'))).toEqual([]);
  });
});
