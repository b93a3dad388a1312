import { Replica } from '../../store/testing/replica.ts';
import { type ContractSubject, describeSharedStore } from '../../store/testing/shared-contract.ts';
import { MemoryHistory } from './memory-store.ts';

async function open(): Promise<ContractSubject> {
  const history = new MemoryHistory();
  const replicas = new Map<string, Replica>();
  for (const name of ['a', 'b']) replicas.set(name, await new Replica(history.open()).start());
  return {
    kinds: ['profile', 'instance', 'image', 'alias', 'member', 'holder'],
    replica: async (name) => {
      const replica = replicas.get(name);
      if (!replica) throw new Error(`there is no member ${name}`);
      return replica;
    },
    close: async () => {
      for (const replica of replicas.values()) replica.stop();
    },
  };
}

describeSharedStore('the store in memory', open);
