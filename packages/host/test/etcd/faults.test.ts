import { describe, expect, it } from 'vitest';
import { openEtcd } from '../../src/etcd/client.ts';
import { change, ThreeNodes } from './three-nodes.ts';
import { watched } from './watched.ts';

const three = new ThreeNodes();

describe('a killed node', () => {
  it('is passed over by reads and writes', async () => {
    const { follower, leader } = await three.roles();
    const client = three.client(follower, leader);
    await change(client, 'before');
    await three.kill(follower);
    const revision = await change(client, 'after');
    expect((await client.range({ key: 'k' })).kvs).toMatchObject([{ value: 'after', modRevision: revision }]);
  });

  it('cuts its watches off, and another node goes on from the next revision', async () => {
    const { follower, leader } = await three.roles();
    const client = three.client(follower, leader);
    const watch = await watched(client, 'k');
    expect(watch.endpoint).toBe(follower.endpoint);
    const seen = await change(three.client(...three.nodes), 'seen');
    await watch.upTo(seen);
    await three.kill(follower);
    expect(await watch.ended).toMatchObject({ reason: 'cut-off', error: { code: 'etcd-unreachable' } });
    const missed = await change(three.client(...three.nodes), 'missed');
    const next = await watched(client, 'k', { startRevision: seen + 1 });
    expect(next.endpoint).toBe(leader.endpoint);
    await next.upTo(missed);
    expect(next.batches).toMatchObject([{ revision: missed, events: [{ kv: { value: 'missed' } }] }]);
  });
});

describe('a node that stops without a word', () => {
  it('is noticed by its watches within the given time', async () => {
    const { follower } = await three.roles();
    const client = three.client(follower);
    const watch = await watched(client, 'k', { silenceMs: 800 });
    await three.pause(follower);
    const since = performance.now();
    expect(await watch.ended).toMatchObject({
      reason: 'cut-off',
      error: { code: 'etcd-unreachable', message: expect.stringContaining('silent') },
    });
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  it('delays a read, which another node answers', async () => {
    const { follower, leader } = await three.roles();
    const client = three.client(follower, leader);
    await client.range({ key: 'k' });
    await three.pause(follower);
    await change(three.client(leader), 'read elsewhere');
    const { kvs } = await client.range({ key: 'k' }, { timeoutMs: 2_000 });
    expect(kvs).toMatchObject([{ value: 'read elsewhere' }]);
    const since = performance.now();
    await client.range({ key: 'k' });
    expect(performance.now() - since).toBeLessThan(500);
  });

  it('leaves a write unknown, which is not sent again', async () => {
    const { follower, leader } = await three.roles();
    const client = three.client(follower, leader);
    await client.range({ key: 'k' });
    await three.pause(follower);
    await three.expectUnknown(client, follower);
  });
});

describe('endpoints', () => {
  it('that all refuse are named with their reasons', async () => {
    const endpoints = ['http://127.77.0.1:2379', 'http://127.77.0.2:2379'];
    const client = openEtcd({ endpoints });
    await expect(client.status()).rejects.toMatchObject({
      code: 'etcd-unreachable',
      message: `etcd cannot be reached at ${endpoints.join(', ')}: nothing listens there`,
    });
  });

  it('that are not etcd are passed over', async () => {
    const { follower } = await three.roles();
    const peer = follower.endpoint.replace('2379', '2380');
    const client = openEtcd({ endpoints: [peer, follower.endpoint] });
    expect((await client.status()).version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
