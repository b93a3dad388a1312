import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { TAKEN_REQUEST, watchJson } from '../../src/etcd/encode.ts';
import { Endpoint } from '../../src/etcd/endpoint.ts';
import type { WatchJson } from '../../src/etcd/gateway-json.ts';
import { LineSplitter } from '../../src/etcd/line-splitter.ts';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { until } from '../harness/api.ts';
import { watched } from './watched.ts';

let cluster: EtcdCluster;
let etcd: Etcd;

beforeAll(async () => {
  const flags = ['--experimental-watch-progress-notify-interval=100ms'];
  cluster = await EtcdCluster.start({ flags });
  etcd = openEtcd(cluster.options());
});

afterAll(async () => {
  etcd?.close();
  await cluster?.[Symbol.asyncDispose]();
});

const put = (key: string, value: string) => ({ put: { key, value } });

async function change(...puts: [key: string, value: string][]): Promise<number> {
  const { revision } = await etcd.txn({ compare: [], success: puts.map(([key, value]) => put(key, value)) });
  return revision;
}

describe('a watch', () => {
  it('tells all changes of one revision together, and the revisions in order', async () => {
    const watch = await watched(etcd, 'a/', { prevKv: true });
    const first = await change(['a/1', 'x'], ['other', 'y'], ['a/2', 'x']);
    const { revision } = await etcd.txn({
      compare: [],
      success: [{ delete: { key: 'a/1' } }, put('a/2', 'z')],
    });
    await watch.upTo(revision);
    expect(watch.batches).toMatchObject([
      { revision: first, events: [{ kv: { key: 'a/1', value: 'x' } }, { kv: { key: 'a/2' } }] },
      {
        revision,
        events: [
          { type: 'delete', kv: { key: 'a/1', value: '', modRevision: revision }, prevKv: { value: 'x' } },
          { type: 'put', kv: { key: 'a/2', value: 'z', version: 2 }, prevKv: { value: 'x' } },
        ],
      },
    ]);
    watch.close();
    expect(await watch.ended).toEqual({ reason: 'closed' });
  });

  it('begins at an old revision, and goes on without a gap while keys change', async () => {
    const made: number[] = [];
    for (let at = 0; at < 300; at++) made.push(await change(['b/1', `${at}`]));
    const [watch] = await Promise.all([
      watched(etcd, 'b/', { startRevision: made[10] as number }),
      (async () => {
        for (let at = 0; at < 100; at++) made.push(await change(['b/1', `${at}`]));
      })(),
    ]);
    await watch.upTo(made.at(-1) as number);
    expect(watch.batches.map(({ revision }) => revision)).toEqual(made.slice(10));
    watch.close();
  });

  it('puts a revision together that etcd splits into several messages', async () => {
    const keys = 60;
    const value = 'v'.repeat(100_000);
    for (let at = 0; at < keys; at += 10)
      await change(...Array.from({ length: 10 }, (_, each): [string, string] => [`c/${at + each}`, value]));
    const watch = await watched(etcd, 'c/', { prevKv: true });
    const { revision } = await etcd.txn({ compare: [], success: [{ delete: { prefix: 'c/' } }] });
    await watch.upTo(revision);
    expect(watch.batches.map(({ events }) => events.length)).toEqual([keys]);
    expect(watch.batches[0]?.events.every(({ prevKv }) => prevKv?.value === value)).toBe(true);
    watch.close();
  });

  it('ends when its revision has been compacted, and says since when there are events', async () => {
    const old = await change(['d', '1']);
    const compacted = await change(['d', '2']);
    await etcd.compact(compacted);
    await etcd.compact(compacted);
    const watch = await watched(etcd, 'd', { startRevision: old });
    expect(await watch.ended).toEqual({ reason: 'compacted', revision: compacted });
    await expect(etcd.range({ key: 'd', revision: old })).rejects.toMatchObject({ code: 'etcd-compacted' });
    const next = await watched(etcd, 'd', { startRevision: compacted });
    await next.upTo(compacted);
    next.close();
  });

  it('tells how far it is while nothing happens to its keys', async () => {
    const watch = await watched(etcd, 'e/', { progressNotify: true });
    const revision = await change(['elsewhere', '1']);
    await until('the watch has told that revision', () => watch.progress.includes(revision));
    expect(watch.batches).toEqual([]);
    watch.close();
  });

  it('stays while nothing happens, because etcd gives signs of life', async () => {
    const watch = await watched(etcd, 'f/', { silenceMs: 200 });
    let isOver = false;
    void watch.ended.then(() => {
      isOver = true;
    });
    // Other watches ask etcd meanwhile: time passes by facts of etcd's own.
    const clock = await watched(etcd, 'g/', { progressNotify: true });
    await until('a second has passed for etcd', () => clock.progress.length >= 10);
    expect(isOver).toBe(false);
    const revision = await change(['f/1', '1']);
    await watch.upTo(revision);
    watch.close();
    clock.close();
  });

  it('is not disturbed by a second request for its id, which etcd refuses at once', async () => {
    const endpoint = new Endpoint(cluster.node(0).endpoint, {});
    const limits = { connectMs: 5_000, answerMs: 5_000 };
    const body = `${JSON.stringify(watchJson({ prefix: 'i/', onEvents() {}, onEnd() {} }))}\n`;
    const told = await endpoint.open(
      { path: '/v3/watch', body, stays: true },
      limits,
      async (answer, request) => {
        request.write(TAKEN_REQUEST);
        const lines = new LineSplitter();
        const results: WatchJson[] = [];
        for await (const bytes of answer as AsyncIterable<Buffer>) {
          results.push(...lines.add(bytes).map((line) => JSON.parse(line).result));
          if (results.length === 2) await change(['i/1', 'x']);
          if (results.length === 3) break;
        }
        request.destroy();
        return results;
      },
    );
    expect(told).toMatchObject([
      { created: true, watch_id: '1' },
      { created: true, canceled: true, watch_id: '-1' },
      { watch_id: '1', events: [{ kv: { version: '1' } }] },
    ]);
    endpoint.close();
  });

  it('is closed by its signal', async () => {
    const controller = new AbortController();
    const watch = await watched(etcd, 'h/', { signal: controller.signal });
    controller.abort();
    expect(await watch.ended).toEqual({ reason: 'closed' });
  });
});
