import { addUnconfirmed } from '../base/unconfirmed.ts';
import { within } from '../base/within.ts';
import type { SharedChange } from '../core/shared.ts';
import type { SharedCommit, SharedStore } from '../store/shared-store.ts';
import type { Mirror } from './mirror.ts';

/** The time that members have to confirm: that of a lease. */
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
 * Commits, and asks all members that the change concerns whether they have applied it, if they have a lease. The code
 * that collects unconfirmed members waits for their answers, and gets the names of those that have not applied it in time.
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
  const others = [...mirror.alive.keys()].filter(
    (name) => name !== mirror.fleet.member && follows(mirror, name),
  );
  const late = others.map(async (name) => ((await confirms(parts, name, revision)) ? [] : [name]));
  // Not awaited here: the change may keep instances from other work, which members that are asked may wait for.
  addUnconfirmed(Promise.all(late).then((names) => names.flat()));
}

const concernsAll = ({ kind }: SharedChange) => OF_ALL.test(kind);

/** Whether a member follows the fleet. A host that joins or has left may have a lease too, and applies no changes. */
function follows({ alive, members }: Mirror, name: string): boolean {
  const state = members.get(name)?.state ?? 'joining';
  return alive.has(name) && state !== 'joining';
}

/** Asks a member. One that loses its lease or leaves meanwhile counts as one that has confirmed. */
async function confirms({ ask, mirror }: ConfirmParts, member: string, revision: number): Promise<boolean> {
  const gone = Promise.withResolvers<boolean>();
  const end = mirror.onChange(() => {
    if (!follows(mirror, member)) gone.resolve(true);
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
