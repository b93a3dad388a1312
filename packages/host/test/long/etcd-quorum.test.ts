import { describe, expect, it } from 'vitest';
import { change, ThreeNodes } from '../etcd/three-nodes.ts';
import { watched } from '../etcd/watched.ts';
import { until } from '../harness/api.ts';

const three = new ThreeNodes();

describe('a killed node', () => {
  it('that led is replaced: a change waits for the election, and is made once', async () => {
    const { leader, follower, rest } = await three.roles();
    const client = three.client(follower, rest);
    await change(client, 'before');
    await three.kill(leader);
    const outcome = await change(client, 'elected').catch((error) => error);
    // A change on its way when the leader died may be lost: then the answer is that nobody knows.
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'etcd-unknown' });
    else expect((await client.range({ key: 'k' })).kvs).toMatchObject([{ value: 'elected' }]);
  });
});

describe('a node without a quorum', () => {
  it('that still leads leaves a write unknown', async () => {
    const { leader, follower, rest } = await three.roles();
    const client = three.client(leader);
    await client.range({ key: 'k' });
    await three.pause(follower);
    await three.pause(rest);
    await three.expectUnknown(client, leader);
  });

  it('refuses reads and writes with one sentence, and changes nothing', async () => {
    const { leader, follower, rest } = await three.roles();
    const client = three.client(follower);
    const kept = await change(client, 'kept');
    await three.kill(leader);
    await three.kill(rest);
    const refused = { code: 'etcd-no-leader', status: 503 };
    await until('the node knows that it has no leader', async () => {
      const error = await client.range({ key: 'k' }, { timeoutMs: 300 }).catch((thrown) => thrown);
      return error.code === 'etcd-no-leader';
    });
    const write = { compare: [], success: [{ put: { key: 'k', value: 'lost' } }] };
    await expect(client.txn(write, { timeoutMs: 500 })).rejects.toMatchObject(refused);
    await expect(client.range({ key: 'k' }, { timeoutMs: 500 })).rejects.toMatchObject(refused);
    await three.repair();
    expect((await client.range({ key: 'k', revision: kept })).kvs).toMatchObject([{ value: 'kept' }]);
    const seen = await watched(client, 'k', { startRevision: kept });
    await seen.upTo(await change(three.client(...three.nodes), 'last'));
    expect(seen.batches.map(({ events }) => events[0]?.kv.value)).not.toContain('lost');
  });

  it('cuts its watches off', async () => {
    const { leader, follower, rest } = await three.roles();
    const client = three.client(follower);
    const watch = await watched(client, 'k');
    await three.kill(leader);
    await three.kill(rest);
    // etcd ends the stream, in most cases without a reason.
    expect(await watch.ended).toMatchObject({ reason: 'cut-off' });
  });
});
