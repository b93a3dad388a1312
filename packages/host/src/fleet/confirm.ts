import { addUnconfirmed } from '../base/unconfirmed.ts';
import { within } from '../base/within.ts';
import type { SharedChange } from '../core/shared.ts';
import type { SharedCommit, SharedStore } from '../store/shared-store.ts';
import type { Mirror } from './mirror.ts';

/** Members are waited for so long: the time of a lease. */
const CONFIRM_MS = 5_000;

/** Objects that all members show, or that reach instances of all. */
const OF_ALL = /-(profile|image|alias)$/;

export interface ConfirmParts {
  readonly store: Pick<SharedStore, 'commit'>;
  readonly mirror: Mirror;
  /** Asks a member whether it has applied a revision; false or a rejection if it has not within the time. */
  readonly ask: (member: string, revision: number, timeoutMs: number) => Promise<boolean>;
}

/**
 * Commits, and asks all members that the change concerns whether they have applied it, if they have a lease. The one who
 * collects unconfirmed members waits for their answers, and is told those that have not applied it within the time.
 */
export async function commitConfirmed(parts: ConfirmParts, commit: SharedCommit): Promise<void> {
  const { store, mirror } = parts;
  let revision = 0;
  await store.commit({
    ...commit,
    apply: (extra) => {
      commit.apply(extra);
      revision = revisionIn(extra);
    },
  });
  if (!commit.changes.some(concernsAll)) return;
  // One that has just left may still have a lease.
  const others = [...mirror.alive.keys()].filter(
    (name) => name !== mirror.fleet.member && mirror.members.has(name),
  );
  const late = others.map(async (name) => ((await confirms(parts, name, revision)) ? [] : [name]));
  // Not awaited here: the change may keep instances from other work, which members that are asked may wait for.
  addUnconfirmed(Promise.all(late).then((names) => names.flat()));
}

const concernsAll = ({ kind }: SharedChange) => OF_ALL.test(kind);

/** A member that is gone meanwhile serves nobody: it is not waited for. */
async function confirms({ ask, mirror }: ConfirmParts, member: string, revision: number): Promise<boolean> {
  const gone = Promise.withResolvers<boolean>();
  const end = mirror.onChange(() => {
    if (!mirror.alive.has(member)) gone.resolve(true);
  });
  try {
    let confirmed = false;
    const asked = ask(member, revision, CONFIRM_MS).then(
      (answer) => answer,
      () => false,
    );
    const first = Promise.race([asked, gone.promise]).then((answer) => {
      confirmed = answer;
    });
    await within(CONFIRM_MS, first);
    return confirmed;
  } finally {
    end();
  }
}

/** The revision of the commit, as the follower stores it. */
function revisionIn(extra: Parameters<SharedCommit['apply']>[0]): number {
  for (const change of extra) if (change.kind === 'put-fleet') return change.fleet.revision;
  return 0;
}
