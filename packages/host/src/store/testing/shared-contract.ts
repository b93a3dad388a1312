import { afterEach, beforeEach, describe } from 'vitest';
import { describeConflicts } from './contract-conflicts.ts';
import { describeFollowing } from './contract-following.ts';
import { agree } from './contract-hosts.ts';
import { describeOrder } from './contract-order.ts';
import { describeStates } from './contract-states.ts';
import { describeUses } from './contract-uses.ts';
import type { Replica } from './replica.ts';
import { ALIASED, type CommittedKind, sampleImage } from './samples.ts';

/** A store to test. */
export interface ContractSubject {
  /** The kinds of objects that it keeps. */
  readonly kinds: readonly CommittedKind[];
  /** A host that uses the store and follows it. */
  replica(name: string): Promise<Replica>;
  close(): Promise<void>;
}

/** What every store of shared objects must do. */
export function describeSharedStore(title: string, open: () => Promise<ContractSubject>): void {
  describe(title, () => {
    let subject: ContractSubject;
    let a: Replica;
    let b: Replica;
    beforeEach(async () => {
      subject = await open();
      a = await subject.replica('a');
      b = await subject.replica('b');
      // The aliases of the tests are names of it.
      await a.commit([{ kind: 'put-image', image: sampleImage(ALIASED) }]);
      await agree(a, b);
      for (const each of [a, b]) {
        each.told.length = 0;
        each.applied.clear();
      }
    });
    afterEach(() => subject.close());

    const topics = [describeStates, describeConflicts, describeUses, describeOrder, describeFollowing];
    for (const describeTopic of topics) describeTopic(() => ({ a, b, kinds: subject.kinds }));
  });
}
