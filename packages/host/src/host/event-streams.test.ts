import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { EVENT_LISTENERS_MAX } from './host-limits.ts';
import { Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

describe('the event stream', () => {
  it('has operations and lifecycle events in LXD’s form', async () => {
    const inbox = await harness.websocket('/1.0/events');
    const { id } = harness.backend.operations.begin({ description: 'x', resources: { instances: ['c1'] } });
    harness.backend.operations.lifecycle('instance-started', '/1.0/instances/c1', {});
    harness.backend.operations.lifecycle('instance-exec', '/1.0/instances/c1', { command: ['id'] });
    expect(await inbox.nextJson()).toMatchObject({
      type: 'operation',
      project: 'default',
      location: 'none',
      metadata: { id, status_code: 103, resources: { instances: ['/1.0/instances/c1'] } },
    });
    expect((await inbox.nextJson()).metadata).toEqual({
      action: 'instance-started',
      source: '/1.0/instances/c1',
    });
    expect((await inbox.nextJson()).metadata.context).toEqual({ command: ['id'] });
  });

  it('holds only the types that were asked for', async () => {
    const inbox = await harness.websocket('/1.0/events?type=lifecycle');
    harness.backend.operations.begin({ description: 'x' });
    harness.backend.operations.lifecycle('a', 'b');
    expect((await inbox.nextJson()).type).toBe('lifecycle');
    await expect(harness.websocket('/1.0/events?type=config')).rejects.toThrow('refused with 400');
  });

  it('begins as soon as the handshake is answered', async () => {
    for (let round = 0; round < 20; round++) {
      const text = await new Promise<string>((resolve) => {
        const socket = connect(harness.path, () =>
          socket.write(
            'GET /1.0/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
              'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
          ),
        );
        let received = '';
        socket.once('data', () => harness.backend.operations.lifecycle('raced', 'x'));
        socket.on('data', (chunk) => {
          received += chunk.toString('latin1');
          if (!received.includes('raced')) return;
          socket.destroy();
          resolve(received);
        });
      });
      expect(text).toMatch(/^HTTP\/1\.1 101 /);
      expect(text).not.toMatch(/Sec-WebSocket-Extensions/i);
      expect(text).toContain('keepalive');
    }
  });

  it('needs a handshake', async () => {
    expect(await harness.get('/1.0/events')).toMatchObject({ status: 400, json: { type: 'error' } });
  });

  it('frees the place of a bad handshake', async () => {
    const bad = () =>
      new Promise<void>((resolve) => {
        const socket = connect(harness.path, () =>
          socket.write(
            'GET /1.0/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
          ),
        );
        socket.resume().once('close', () => resolve());
      });
    for (let round = 0; round <= EVENT_LISTENERS_MAX; round++) await bad();
    await expect(harness.websocket('/1.0/events')).resolves.toBeDefined();
  });

  it('cuts off a listener that does not read, and goes on for others', async () => {
    const slow = await harness.websocket('/1.0/events');
    const fast = await harness.websocket('/1.0/events?type=operation');
    slow.socket.pause();
    const context = { text: 'x'.repeat(1024 * 1024) };
    for (let round = 0; round < 12; round++) harness.backend.operations.lifecycle('a', 'b', context);
    const { id } = harness.backend.operations.begin({ description: 'x' });
    expect((await fast.nextJson()).metadata.id).toBe(id);
    slow.socket.resume();
    expect(await slow.closed).toBe(1013);
  });

  it('ends a listener that answers no pings, and keeps one that does', async () => {
    const quick = await Harness.start({ keepaliveMs: 15 });
    const dead = connect(quick.path, () =>
      dead.write(
        'GET /1.0/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
    );
    const alive = await quick.websocket('/1.0/events');
    await new Promise((resolve) => dead.resume().on('close', resolve));
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
    await quick.stop();
  });
});

describe('the event stream from a position on', () => {
  const tell = (count: number) => {
    for (let i = 0; i < count; i++) harness.backend.operations.lifecycle('told', `/1.0/instances/c${i}`);
  };

  it('replays lifecycle events and then goes on with new ones, all with their numbers', async () => {
    tell(3);
    const inbox = await harness.websocket('/1.0/events?type=lifecycle&since=1');
    tell(1);
    const numbers = [await inbox.nextJson(), await inbox.nextJson(), await inbox.nextJson()];
    expect(numbers.map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
    expect(Object.keys(numbers[0])).toEqual([
      'type',
      'timestamp',
      'location',
      'metadata',
      'project',
      'sequence',
    ]);
    const plain = await harness.websocket('/1.0/events?type=lifecycle');
    tell(1);
    expect(await plain.nextJson()).not.toHaveProperty('sequence');
  });

  it('has each event once and in order while new ones happen, and never holds operations back', async () => {
    tell(500);
    const inbox = await harness.websocket('/1.0/events?since=0');
    const { id } = harness.backend.operations.begin({ description: 'x' });
    for (let burst = 0; burst < 100; burst++) {
      tell(3);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const numbers: number[] = [];
    let operation = -1;
    while (numbers.at(-1) !== 800) {
      const event = await inbox.nextJson();
      if (event.type === 'operation') operation = event.metadata.id === id ? numbers.length : -1;
      else numbers.push(event.sequence);
    }
    expect(numbers).toEqual(Array.from({ length: 800 }, (_, i) => i + 1));
    expect(operation).toBeGreaterThanOrEqual(0);
    expect(operation).toBeLessThan(800);
  });

  it('reads the journal again for a listener that has not read, which misses nothing', async () => {
    const inbox = await harness.websocket('/1.0/events?type=lifecycle&since=now');
    inbox.socket.pause();
    const context = { text: 'x'.repeat(1024 * 1024) };
    for (let round = 0; round < 20; round++) harness.backend.operations.lifecycle('a', 'b', context);
    inbox.socket.resume();
    for (let sequence = 1; sequence <= 20; sequence++)
      expect((await inbox.nextJson()).sequence).toBe(sequence);
  });

  it('replays nothing to a listener that wants no lifecycle events', async () => {
    tell(3);
    const inbox = await harness.websocket('/1.0/events?type=operation&since=0');
    tell(1);
    const { id } = harness.backend.operations.begin({ description: 'x' });
    expect((await inbox.nextJson()).metadata.id).toBe(id);
  });

  it('begins at the end with `now`', async () => {
    tell(3);
    const inbox = await harness.websocket('/1.0/events?since=now&type=lifecycle');
    tell(1);
    expect((await inbox.nextJson()).sequence).toBe(4);
  });

  it.each([
    ['since=2', 410],
    ['since=9', 410],
    ['since=x', 400],
    ['since=', 400],
  ])('is refused before the handshake with %s', async (query, status) => {
    await harness.stop();
    harness = await Harness.start({ journal: { events: 4 } });
    tell(5);
    await expect(harness.websocket(`/1.0/events?${query}`)).rejects.toThrow(`refused with ${status}`);
    const inbox = await harness.websocket('/1.0/events?since=3');
    expect((await inbox.nextJson()).sequence).toBe(4);
  });
});
