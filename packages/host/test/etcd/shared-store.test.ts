import { afterAll, beforeAll } from 'vitest';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { FleetMember } from '../../src/store/etcd/testing/fleet-member.ts';
import { type ContractSubject, describeSharedStore } from '../../src/store/testing/shared-contract.ts';

let cluster: EtcdCluster;
let fleets = 0;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** A fleet of its own, with members in order. */
async function open(): Promise<ContractSubject> {
  const prefix = `/fleet${++fleets}/`;
  const members: FleetMember[] = [];
  // Both are there before the first test begins, so that neither has seen the other come.
  for (const name of ['a', 'b']) members.push(await FleetMember.join(name, prefix, cluster.options()));
  for (const { replica } of members) {
    replica.stop();
    await replica.start();
  }
  return {
    kinds: ['profile', 'instance', 'image', 'alias', 'member', 'holder'],
    replica: async (name) => {
      const member = members.find((each) => each.name === name);
      if (!member) throw new Error(`there is no member ${name}`);
      return member.replica;
    },
    close: async () => {
      for (const member of members) await member[Symbol.asyncDispose]();
    },
  };
}

describeSharedStore('the store of a fleet on etcd', open);
