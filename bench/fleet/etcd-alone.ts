import { openEtcd } from '../../packages/host/src/etcd/client.ts';

const KEY = '/bench/alone';
const NS_PER_MS = 1e6;

/**
 * What etcd itself takes: a transaction of one key at its first node, until the event of a watch at the second.
 * @param addresses `HOST:PORT` of its nodes
 * @returns ms of each change
 */
export async function etcdTimes(addresses: readonly string[], changes: number): Promise<number[]> {
  const [writer, watcher] = addresses.map((address) => openEtcd({ endpoints: [`http://${address}`] }));
  if (!writer || !watcher) throw new Error('etcd has too few nodes');
  let arrived = Promise.withResolvers<bigint>();
  try {
    await watcher.watch({
      prefix: KEY,
      onEvents: () => arrived.resolve(process.hrtime.bigint()),
      onEnd: ({ reason }) => arrived.reject(new Error(`the watch has ended: ${reason}`)),
    });
    const took: number[] = [];
    for (let change = 0; change < changes; change++) {
      arrived = Promise.withResolvers();
      arrived.promise.catch(() => {});
      const before = process.hrtime.bigint();
      const put = { key: KEY, value: `${change}` };
      await writer.txn({ compare: [{ key: KEY, is: '>', version: -1 }], success: [{ put }] });
      took.push(Number((await arrived.promise) - before) / NS_PER_MS);
    }
    return took;
  } finally {
    for (const client of [writer, watcher]) client.close();
  }
}
