import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import type { EtcdNode } from '../../src/etcd/testing/etcd-node.ts';

/** What one node is at the moment. */
interface Roles {
  readonly leader: EtcdNode;
  readonly follower: EtcdNode;
  readonly rest: EtcdNode;
}

/** Three nodes for the tests of a file. After each test, all that it has stopped runs again. */
export class ThreeNodes {
  #cluster: EtcdCluster | undefined;
  readonly #clients: Etcd[] = [];
  readonly #repairs: (() => Promise<void> | void)[] = [];

  constructor() {
    beforeAll(async () => {
      this.#cluster = await EtcdCluster.start({ nodes: 3 });
    });
    afterEach(async () => {
      await this.repair();
      for (const client of this.#clients.splice(0)) client.close();
    });
    afterAll(() => this.#cluster?.[Symbol.asyncDispose]());
  }

  get nodes(): readonly EtcdNode[] {
    return this.#cluster?.nodes ?? [];
  }

  /** A client of these nodes, which is closed after the test. */
  client(...nodes: EtcdNode[]): Etcd {
    const client = openEtcd({ endpoints: nodes.map(({ endpoint }) => endpoint) });
    this.#clients.push(client);
    return client;
  }

  async roles(): Promise<Roles> {
    const etcd = this.client(...this.nodes);
    const { leader: id } = await etcd.status();
    const name = (await etcd.memberList()).find((each) => each.id === id)?.name;
    const leader = this.nodes.find((node) => node.name === name);
    const [follower, rest] = this.nodes.filter((node) => node !== leader);
    if (!leader || !follower || !rest) throw new Error('the leader is not known');
    return { leader, follower, rest };
  }

  async kill(node: EtcdNode): Promise<void> {
    await node.kill();
    this.#repairs.push(() => {
      node.start();
      return node.ready();
    });
  }

  async pause(node: EtcdNode): Promise<void> {
    await node.pause();
    this.#repairs.push(() => node.resume());
  }

  /** Has all nodes run again, and waits until they take a change. */
  async repair(): Promise<void> {
    for (const each of this.#repairs.splice(0)) await each();
    await change(this.client(...this.nodes), 'repaired');
  }

  /** Makes a change that cannot be answered: it may be made, but not twice. */
  async expectUnknown(client: Etcd, node: EtcdNode): Promise<void> {
    const key = `unknown/${node.name}/${node.pid}`;
    const write = { compare: [], success: [{ put: { key, value: 'once' } }] };
    await expect(client.txn(write, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'etcd-unknown',
      status: 503,
      message: expect.stringContaining(node.endpoint),
    });
    await this.repair();
    const { kvs } = await this.client(...this.nodes).range({ key });
    expect([0, 1]).toContain(kvs[0]?.version ?? 0);
  }
}

/** Sets the key `k`. @returns the revision */
export async function change(client: Etcd, value: string): Promise<number> {
  const { revision } = await client.txn(
    { compare: [], success: [{ put: { key: 'k', value } }] },
    { timeoutMs: 20_000 },
  );
  return revision;
}
