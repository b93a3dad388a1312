import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, hostApi, until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { cycles } from './harness/cycles.ts';
import { TestDaemon } from './harness/daemon.ts';
import { type Event, Listener, type ListenerKind } from './harness/listener.ts';

/** The answer to `since` with a `limit`. */
interface Page {
  readonly events: readonly Event[];
  readonly next: number;
  readonly more: boolean;
}

/** How many events of one instance the daemon keeps in these tests. */
const KEPT = cycles(1_000, 10_000);
/** Time limit for reading all of them, also on a busy machine. */
const READ_MS = 90_000;

let daemon: TestDaemon;
let tools: CallerTools;

beforeAll(async () => {
  daemon = await TestDaemon.start(['--journal-instance-events', String(KEPT)]);
  tools = new CallerTools();
  await daemon.must('image', 'build', 'busybox');
  await daemon.must('launch', 'busybox', 'c1');
  await daemon.must('launch', 'busybox', 'c2');
});
afterAll(async () => {
  tools?.[Symbol.dispose]();
  await daemon?.destroy();
});

const set = (name: string, ...pairs: string[]) => daemon.must('config', 'set', name, ...pairs);
const patch = (name: string, config: Record<string, string>) =>
  hostApi(daemon).change('PATCH', `/1.0/instances/${name}`, { json: { config } });
const listener = async (name: string, kind: ListenerKind, query: string) =>
  Listener.open({ daemon, tools, init: await daemon.initPid(name) }, kind, query);

const page = async (name: string, query: string) => pageOf(await daemon.initPid(name), query);

async function pageOf(init: number, query: string): Promise<Page> {
  const { status, body } = await ask(daemon, { init }, `/1.0/events?${query}`);
  expect(status).toBe(200);
  return JSON.parse(body) as Page;
}

/** All of an instance's events that the journal has after a position. */
async function journal(name: string, since: number): Promise<Event[]> {
  const all: Event[] = [];
  const init = await daemon.initPid(name);
  for (let more = true; more; ) {
    const part = await pageOf(init, `since=${since}&limit=256`);
    all.push(...part.events);
    ({ next: since, more } = part);
  }
  return all;
}

describe('polling', () => {
  it('gives the events since a position, and the next position', async () => {
    const { next } = await page('c1', 'since=now&limit=1');
    await set('c1', 'user.a=1', 'user.b=2');
    await set('c2', 'user.a=foreign');
    const first = await page('c1', `since=${next}&limit=1`);
    expect(first.events).toMatchObject([
      { type: 'config', metadata: { key: 'user.a', old_value: '', value: '1' } },
    ]);
    expect(first).toMatchObject({ more: true, next: first.events[0]?.sequence });
    const second = await page('c1', `since=${first.next}&limit=10`);
    expect(second.events).toMatchObject([{ metadata: { key: 'user.b' } }]);
    expect(await page('c1', `since=${second.next}&limit=10`)).toEqual({
      events: [],
      next: second.next,
      more: false,
    });
  });

  it('has one event for each key that has changed, and none for an unchanged value', async () => {
    await patch('c1', { 'user.a': '1', 'user.b': '2' });
    const { next } = await page('c1', 'since=now&limit=1');
    await patch('c1', { 'user.a': '1', 'user.b': '3', 'user.c': '4' });
    const { events } = await page('c1', `since=${next}&limit=10`);
    expect(events.map(({ metadata }) => metadata['key'])).toEqual(['user.b', 'user.c']);
  });

  it('has the changes that were made while the instance was stopped', async () => {
    const { next } = await page('c1', 'since=now&limit=1');
    await daemon.must('stop', '-f', 'c1');
    await set('c1', 'user.stopped=1');
    await daemon.must('start', 'c1');
    const { events } = await page('c1', `since=${next}&limit=10`);
    expect(events.map(({ metadata }) => metadata['key'])).toEqual(['user.stopped']);
  });

  it('shows nothing of an earlier instance of the same name', async () => {
    await daemon.must('launch', 'busybox', 'c3');
    await set('c3', 'user.secret=1');
    expect((await page('c3', 'since=0&limit=10')).events).toHaveLength(1);
    await daemon.must('delete', '-f', 'c3');
    await daemon.must('launch', 'busybox', 'c3');
    expect((await page('c3', 'since=0&limit=10')).events).toEqual([]);
    await daemon.must('delete', '-f', 'c3');
  });
});

describe.each(['websocket', 'stream'] as const)('a listener with a position over a %s', (kind) => {
  it('misses no event when the daemon is killed', async () => {
    const { next } = await page('c1', 'since=now&limit=1');
    const before = await listener('c1', kind, `?since=${next}`);
    await set('c1', `user.kill=${kind}1`);
    const [first] = await before.first(1);
    await daemon.kill();
    await before.ended;
    await daemon.start();
    await set('c1', `user.kill=${kind}2`);
    const after = await listener('c1', kind, `?since=${first?.sequence}`);
    await set('c1', `user.kill=${kind}3`);
    expect((await after.first(2)).map(({ metadata }) => metadata['value'])).toEqual([`${kind}2`, `${kind}3`]);
    await after.close();
  });

  it('sees each event once when it reconnects often while changes go on', async () => {
    const { next: start } = await page('c1', 'since=now&limit=1');
    let going = true;
    let changes = 0;
    const changing = (async () => {
      for (; going; changes++) await patch('c1', { 'user.x': `${kind}${changes}`, 'user.y': `${changes}` });
    })();
    const seen: Event[] = [];
    for (let round = 0; round < 8; round++) {
      const each = await listener('c1', kind, `?since=${seen.at(-1)?.sequence ?? start}`);
      const had = each.events.length;
      await until('events have come', () => each.events.length > had + 5);
      await each.close();
      seen.push(...each.events);
    }
    going = false;
    await changing;
    const last = await listener('c1', kind, `?since=${seen.at(-1)?.sequence}`);
    await set('c1', `user.end=${kind}`);
    await until('the last event', () => last.events.at(-1)?.metadata['value'] === kind);
    await last.close();
    seen.push(...last.events);
    expect(seen).toEqual(await journal('c1', start));
    expect(seen).toHaveLength(changes * 2 + 1);
  });

  it('gets 410 with the oldest position, before any stream begins, when its position is too old', async () => {
    const value = (round: number) => `${kind}${round}`;
    const keys = Array.from({ length: 500 }, (_, index) => `user.fill${index}`);
    for (let round = 0; round <= KEPT / keys.length; round++) {
      await patch('c2', Object.fromEntries(keys.map((key) => [key, value(round)])));
    }
    const init = await daemon.initPid('c2');
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const headers = kind === 'websocket' ? [...upgrade, key].flatMap((header) => ['-H', header]) : [];
    const { status, body } = await ask(daemon, { init }, '/1.0/events?since=0', ...headers);
    expect(status).toBe(410);
    const oldest = /^Position is too old: the oldest is (\d+)\n$/.exec(body)?.[1];
    const all = await listener('c2', kind, `?since=${oldest}`);
    await until('all that is kept', () => all.events.length >= KEPT, READ_MS);
    await all.close();
    expect(all.events).toEqual(await journal('c2', Number(oldest)));
  });
});
