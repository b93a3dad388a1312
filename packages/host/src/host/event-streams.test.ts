import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVENT_LISTENERS_MAX } from './limits.ts';
import { Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

describe('the event stream', () => {
  test('tells of operations and lifecycle in LXD’s form', async () => {
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

  test('holds only the types that were asked for', async () => {
    const inbox = await harness.websocket('/1.0/events?type=lifecycle');
    harness.backend.operations.begin({ description: 'x' });
    harness.backend.operations.lifecycle('a', 'b');
    expect((await inbox.nextJson()).type).toBe('lifecycle');
    await expect(harness.websocket('/1.0/events?type=config')).rejects.toThrow('refused with 400');
  });

  test('is there as soon as the handshake is answered', async () => {
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

  test('needs a handshake', async () => {
    expect(await harness.get('/1.0/events')).toMatchObject({ status: 400, json: { type: 'error' } });
  });

  test('gives the place of a bad handshake back', async () => {
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

  test('cuts off a listener that does not read, and goes on for others', async () => {
    const slow = await harness.websocket('/1.0/events');
    const fast = await harness.websocket('/1.0/events?type=operation');
    slow.socket.pause();
    const context = { text: 'x'.repeat(1024 * 1024) };
    for (let round = 0; round < 12; round++) harness.backend.operations.lifecycle('a', 'b', context);
    const { id } = harness.backend.operations.begin({ description: 'x' });
    expect((await fast.nextJson()).metadata.id).toBe(id);
    slow.socket.resume();
    expect(await slow.closed).toBe(1006);
  });
});
