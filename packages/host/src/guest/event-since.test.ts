import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { turn, until } from '../base/testing/until.ts';
import { ask, type GuestFixture, startGuest } from './testing/harness.ts';

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** A listener that came with a position; `numbers` grows as events arrive. */
interface Follower {
  readonly numbers: number[];
  readonly texts: string[];
  /** Settles with the close code and reason; code 0 for a plain stream. */
  readonly ended: Promise<[code: number, reason: string]>;
  pause(): void;
  resume(): void;
  close(): void;
}

const FOLLOW = { stream: followStream, websocket: followWebSocket } as const;
const TRANSPORTS = ['stream', 'websocket'] as const;

function note(follower: Pick<Follower, 'numbers' | 'texts'>, text: string): void {
  follower.texts.push(text);
  follower.numbers.push((JSON.parse(text) as { sequence: number }).sequence);
}

async function followStream(guest: GuestFixture, query: string, accept = ''): Promise<Follower> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = accept === '' ? {} : { accept };
    const place = { socketPath: guest.path, path: `/1.0/events${query}`, headers, agent: false };
    get(place, resolve).on('error', reject);
  });
  const [numbers, texts]: [number[], string[]] = [[], []];
  let begun = '';
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (begun + chunk).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) note({ numbers, texts }, `${line}\n`);
  });
  answer.on('error', () => {});
  return {
    numbers,
    texts,
    ended: new Promise((resolve) => answer.on('close', () => resolve([0, '']))),
    pause: () => void answer.pause(),
    resume: () => void answer.resume(),
    close: () => answer.destroy(),
  };
}

async function followWebSocket(guest: GuestFixture, query: string): Promise<Follower> {
  const websocket = new WebSocket(`ws+unix://${guest.path}:/1.0/events${query}`);
  const [numbers, texts]: [number[], string[]] = [[], []];
  websocket.on('message', (data) => note({ numbers, texts }, String(data)));
  const ended = new Promise<[number, string]>((resolve) =>
    websocket.on('close', (code, reason) => resolve([code, String(reason)])),
  );
  await new Promise((resolve, reject) => websocket.on('open', resolve).on('error', reject));
  return {
    numbers,
    texts,
    ended,
    pause: () => websocket.pause(),
    resume: () => websocket.resume(),
    close: () => websocket.terminate(),
  };
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const setKeys = (guest: GuestFixture, count: number, value = 'v') => {
  for (let i = 0; i < count; i++) guest.backend.setKey(1, `user.k${i}`, value);
};

describe.each(TRANSPORTS)('a listener with a position, over a %s', (kind) => {
  const follow = FOLLOW[kind];

  it('gets the events that it has missed, then new ones, each with its number after LXD’s fields', async () => {
    await using guest = await startGuest();
    setKeys(guest, 3);
    const follower = await follow(guest, '?since=1');
    await until(() => follower.numbers.length === 2);
    guest.backend.setKey(1, 'user.a', '1');
    await until(() => follower.numbers.length === 3);
    expect(follower.numbers).toEqual([2, 3, 4]);
    expect(follower.texts[2]).toBe(
      '{"type":"config","timestamp":"2026-01-02T03:04:05.678Z","metadata":{"key":"user.a","old_value":"","value":"1"},"sequence":4}\n',
    );
    follower.close();
  });

  it('gets only events of its own instance, of the types it has asked for', async () => {
    await using guest = await startGuest();
    const emit = () => {
      guest.backend.setKey(1, 'user.a', '1');
      guest.backend.emit(2, 'device', { name: 'foreign' });
      guest.backend.emit(1, 'lifecycle', { action: 'instance-ready' });
      guest.backend.emit(1, 'device', { name: 'own' });
    };
    emit();
    const follower = await follow(guest, '?type=device,lifecycle&since=0');
    await until(() => follower.numbers.length === 1);
    emit();
    await until(() => follower.numbers.length === 2);
    expect(follower.numbers).toEqual([4, 8]);
    follower.close();
  });

  it('begins at the end of the journal with `now`', async () => {
    await using guest = await startGuest();
    setKeys(guest, 3);
    const follower = await follow(guest, '?since=now');
    await until(() => guest.backend.subscribers === 1);
    guest.backend.setKey(1, 'user.a', '1');
    await until(() => follower.numbers.length === 1);
    expect(follower.numbers).toEqual([4]);
    follower.close();
  });

  it('sees each event once and in order while events are committed in every turn', async () => {
    // With a short queue, listeners that have caught up fall back to the journal again and again.
    await using guest = await startGuest({ eventQueueMessages: 5 });
    const last = 2000;
    setKeys(guest, 400);
    const followers: Follower[] = [];
    const opening = range(0, 20).map(async (each) => {
      for (let wait = 0; wait < each * 3; wait++) await turn();
      followers.push(await follow(guest, `?since=${each * 10}`));
    });
    for (let burst = 1; guest.backend.newest < last; burst = (burst % 9) + 1) {
      setKeys(guest, Math.min(burst, last - guest.backend.newest));
      await turn();
    }
    await Promise.all(opening);
    await until(() => followers.every(({ numbers }) => numbers.at(-1) === last));
    for (const { numbers, close } of followers) {
      expect(numbers).toEqual(range(numbers[0]!, last));
      close();
    }
    expect(followers.map(({ numbers }) => numbers[0]).sort((a, b) => a! - b!)).toEqual(
      range(0, 20).map((each) => each * 10 + 1),
    );
  });

  it('gets events that are larger than the queue, many of them at once', async () => {
    await using guest = await startGuest({ eventQueueBytes: 100_000 });
    setKeys(guest, 5, 'x'.repeat(300_000));
    const follower = await follow(guest, '?since=0');
    await until(() => guest.backend.subscribers === 1);
    setKeys(guest, 5, 'x'.repeat(300_000));
    await until(() => follower.numbers.length === 10);
    expect(follower.numbers).toEqual(range(1, 10));
    follower.close();
  });

  it('is ended when it does not read, after a few batches of the journal, and can come back', async () => {
    await using guest = await startGuest({ eventStallMs: 100 });
    setKeys(guest, 100, 'x'.repeat(100_000));
    const asked = guest.backend.queries;
    const follower = await follow(guest, '?since=0');
    follower.pause();
    await until(() => guest.server.connections() === 0);
    // Events in the kernel's buffer, and a few batches: far fewer than two queries for each of the hundred
    // events.
    expect(guest.backend.queries - asked).toBeLessThan(20);
    follower.resume();
    await follower.ended;
    const again = await follow(guest, `?since=${follower.numbers.at(-1) ?? 0}`);
    await until(() => again.numbers.at(-1) === 100);
    expect([...follower.numbers, ...again.numbers]).toEqual(range(1, 100));
    again.close();
  });

  it('is ended when the journal drops the next events', async () => {
    await using guest = await startGuest();
    setKeys(guest, 300, 'x'.repeat(10_000));
    const follower = await follow(guest, '?since=0');
    follower.pause();
    guest.backend.trim(299);
    follower.resume();
    const [code, reason] = await follower.ended;
    if (kind === 'websocket')
      expect([code, reason]).toEqual([1013, 'the events that come next have been dropped']);
    expect(follower.numbers).toEqual(range(1, follower.numbers.length));
    expect(follower.numbers.length).toBeLessThan(299);
  });

  it.each([
    ['?since=2', '410 Gone', 'Position is too old: the oldest is 3\n'],
    ['?since=6', '410 Gone', 'Position is not known: the newest is 5\n'],
    ['?since=', '400 Bad Request', 'Invalid position: since takes a sequence number or now\n'],
    ['?since=-1', '400 Bad Request', 'Invalid position: since takes a sequence number or now\n'],
  ])('gets an HTTP error for %s', async (query, status, text) => {
    await using guest = await startGuest({ eventStreams: 1 });
    setKeys(guest, 5);
    guest.backend.trim(3);
    const [head, body] = await ask(
      guest.path,
      `GET /1.0/events${query}`,
      kind === 'websocket' ? UPGRADE : '',
    );
    expect([head.split('\r\n')[0], body]).toEqual([`HTTP/1.1 ${status}`, text]);
    // The refused requests do not count as streams.
    const follower = await follow(guest, '?since=3');
    await until(() => follower.numbers.length === 2);
    expect(follower.numbers).toEqual([4, 5]);
    follower.close();
  });
});

describe('a websocket that does not read', () => {
  it('gets the reason for its end, with a code that lets it come back', async () => {
    await using guest = await startGuest({ eventStallMs: 100, lingerTimeoutMs: 5_000 });
    const follower = await followWebSocket(guest, '?since=now');
    await until(() => guest.backend.subscribers === 1);
    follower.pause();
    setKeys(guest, 15, 'x'.repeat(100_000));
    await until(() => guest.backend.subscribers === 0);
    follower.resume();
    expect(await follower.ended).toEqual([1013, 'too many events wait to be read: come back with since']);
  });

  it('is cut when it does not read the reason either', async () => {
    await using guest = await startGuest({ eventStallMs: 50, lingerTimeoutMs: 50 });
    const follower = await followWebSocket(guest, '');
    follower.pause();
    setKeys(guest, 15, 'x'.repeat(100_000));
    await until(() => guest.server.connections() === 0);
    follower.resume();
    expect((await follower.ended)[0]).toBe(1006);
  });
});

describe('a list of events', () => {
  const list = async (guest: GuestFixture, query: string) => {
    const [head, body] = await ask(guest.path, `GET /1.0/events?${query}`);
    return {
      head,
      body,
      ...(JSON.parse(body) as { events: { sequence: number }[]; next: number; more: boolean }),
    };
  };

  it('comes at once, with the stored events and the position to continue from', async () => {
    await using guest = await startGuest();
    guest.backend.setKey(1, 'user.a', '1');
    guest.backend.setKey(2, 'user.foreign', '1');
    const { head, body } = await list(guest, 'since=0&limit=10');
    expect(head).toBe(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    expect(body).toBe(
      '{"events":[{"type":"config","timestamp":"2026-01-02T03:04:05.678Z","metadata":{"key":"user.a","old_value":"","value":"1"},"sequence":1}],"next":2,"more":false}\n',
    );
    expect((await list(guest, 'since=2&limit=1')).body).toBe('{"events":[],"next":2,"more":false}\n');
    expect((await list(guest, 'since=now&limit=1')).body).toBe('{"events":[],"next":2,"more":false}\n');
  });

  it('is cut to the limits of one answer, and the next one continues without a gap', async () => {
    await using guest = await startGuest();
    setKeys(guest, 600, 'x'.repeat(1000));
    const seen: number[] = [];
    let since = 0;
    for (let more = true; more; ) {
      const page = await list(guest, `since=${since}&limit=100000&type=config`);
      expect(page.events.length).toBeLessThanOrEqual(256);
      seen.push(...page.events.map(({ sequence }) => sequence));
      ({ next: since, more } = page);
    }
    expect(seen).toEqual(range(1, 600));
  });

  it.each([
    ['since=1&limit=5', '410 Gone', 'Position is too old: the oldest is 2\n'],
    ['since=9&limit=5', '410 Gone', 'Position is not known: the newest is 3\n'],
    ['since=2&limit=0', '400 Bad Request', 'Invalid limit: it takes a number of events\n'],
    ['since=x&limit=5', '400 Bad Request', 'Invalid position: since takes a sequence number or now\n'],
  ])('refuses %s', async (query, status, text) => {
    await using guest = await startGuest();
    setKeys(guest, 3);
    guest.backend.trim(2);
    const [head, body] = await ask(guest.path, `GET /1.0/events?${query}`);
    expect([head.split('\r\n')[0], body]).toEqual([`HTTP/1.1 ${status}`, text]);
  });

  it.each(['application/json', 'Application/JSON; q=0.9'])(
    'is the answer to %s, also without a limit',
    async (type) => {
      await using guest = await startGuest();
      setKeys(guest, 300);
      const poll = async (query: string) =>
        JSON.parse((await ask(guest.path, `GET /1.0/events?${query}`, `Accept: ${type}\r\n`))[1]);
      const first = await poll('since=0');
      expect([first.events.length, first.next, first.more]).toEqual([256, 256, true]);
      expect((await poll('since=256')).events).toHaveLength(44);
      expect(await poll('since=now')).toEqual({ events: [], next: 300, more: false });
      expect((await poll('since=0&limit=2')).events).toHaveLength(2);
    },
  );

  it.each([
    ['?since=0', ''],
    ['?since=0', '*/*'],
    ['?since=0', 'application/json, */*'],
    ['', 'application/json'],
  ])('is not the answer to %s of a client that accepts "%s": it gets a stream', async (query, accept) => {
    await using guest = await startGuest();
    const follower = await followStream(guest, query, accept);
    await until(() => guest.backend.subscribers === 1);
    setKeys(guest, 1);
    await until(() => follower.texts.length === 1);
    follower.close();
  });
});
