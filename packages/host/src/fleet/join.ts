import type { Member, SharedChange } from '../core/shared.ts';
import type { Needs } from '../instances/needs.ts';
import type { SharedCommit, SharedStore, Snapshot } from '../store/shared-store.ts';
import { difference, knownPuts, putsOf } from './difference.ts';
import { followed } from './elsewhere.ts';
import { checkForm } from './form.ts';
import { checkJoin } from './join-check.ts';
import { Mirror } from './mirror.ts';
import { writeAhead } from './rows-ahead.ts';
import { undoing } from './take-back.ts';
import { broughtBy, chunksOf, leftOf, ownState, usesOf } from './uploads.ts';

type JoinNeeds = Needs<'model' | 'random'> & {
  /** Gets the lease of the member. */
  readonly hold: () => Promise<void>;
};

/** etcd may forget the history while the host joins. */
const REVISION_LOST = 'the history of the fleet ended while the host joined: try again';

/**
 * Brings everything of a single host into the fleet, and everything of the fleet to the host. If it fails, what was
 * brought is taken back; if the daemon dies, the next try goes on with what is there. The last commit of the local store
 * makes the host a member.
 * Nothing may change the host's objects meanwhile.
 * @param store commits as the member
 * @param tell called with the number of objects that the fleet has, and of all
 * @throws join-refused, member-name-taken, and errors of the store
 */
export async function join(
  context: JoinNeeds,
  store: SharedStore,
  member: Member,
  tell: (done: number, all: number) => void,
): Promise<void> {
  const before = await store.load();
  const own = ownState(context.model.state);
  checkForm(before.state.members.values(), member.name);
  checkJoin(own, before.state, member);
  await context.hold();
  const session = new Session(store, before);
  const left = leftOf(own, before.state, member.name);
  const brought = [...left, ...broughtBy(own, before.state, member.name)];
  // Not from the newest revision: what others have put since the check must not be replaced.
  const asChecked = { based: before.revision };
  try {
    await session.commit([{ kind: 'put-member', member: { ...member, state: 'joining' } }], asChecked);
    await bring({ store, session, member }, brought, { asChecked, tell });
  } finally {
    session.end();
  }
  await becomeMember(context, await store.load(), member.name);
}

interface Joining {
  readonly store: SharedStore;
  readonly session: Session;
  readonly member: Member;
}

/** Brings objects, and ends the joining; takes them back if it fails. */
async function bring(
  joining: Joining,
  brought: readonly SharedChange[],
  parts: {
    readonly asChecked: Pick<SharedCommit, 'based'>;
    readonly tell: (done: number, all: number) => void;
  },
): Promise<void> {
  const { session, member } = joining;
  const done: SharedChange[] = [];
  try {
    for (const chunk of chunksOf(brought)) {
      await session.commit(chunk, parts.asChecked);
      done.push(...chunk);
      parts.tell(done.length, brought.length);
    }
    await session.commit([{ kind: 'put-member', member }]);
  } catch (error) {
    // If it fails too, the fleet shows the host as one that joins: it can try again, or be removed.
    await takeBack(joining, done).catch(() => {});
    throw error;
  }
}

/** Each on its own: if one cannot be taken back, because another member has begun to use it, the rest can. */
async function takeBack(
  { store, session, member: { name } }: Joining,
  brought: readonly SharedChange[],
): Promise<void> {
  const { state, revision } = await store.load();
  for (const { change, unused } of undoing(brought, state, name))
    await session.commit([change], { unused, based: revision }).catch(() => {});
  await session.commit([{ kind: 'delete-member', name }]);
}

/** Commits one after the other, each from the newest revision. */
class Session {
  readonly #store: SharedStore;
  readonly #end: () => void;
  #revision: number;
  #isLost = false;

  constructor(store: SharedStore, { revision, mark }: Snapshot) {
    this.#store = store;
    this.#revision = revision;
    this.#end = store.follow(
      revision,
      {
        changed: (batch) => {
          batch.apply?.([]);
          this.#revision = batch.revision;
        },
        lost: () => {
          this.#isLost = true;
        },
      },
      mark,
    );
  }

  async commit(
    changes: readonly SharedChange[],
    asked: Partial<Pick<SharedCommit, 'based' | 'unused'>> = {},
  ): Promise<void> {
    if (this.#isLost) throw new Error(REVISION_LOST);
    const parts = { changes, same: [], uses: usesOf(changes), unused: [], apply: () => {} };
    await this.#store.commit({ ...parts, based: this.#revision, ...asked });
  }

  end(): void {
    this.#end();
  }
}

/**
 * Writes what the host keeps of the fleet from now on, with the objects that only the fleet has. If the fleet has a profile
 * of the same name and another content, no instance here uses it.
 */
async function becomeMember(
  context: JoinNeeds,
  { revision, mark, state }: Snapshot,
  member: string,
): Promise<void> {
  const { model } = context;
  const at = { revision, ...(mark === undefined ? {} : { mark }) };
  const mirror = new Mirror({ member, ...at }, new Map());
  const changes = await difference(await knownPuts(model, mirror), putsOf(state));
  // An earlier try may have left rows.
  model.follow([{ kind: 'leave-fleet', notice: '' }], []);
  await writeAhead(model, mirror, changes);
  const { change } = followed(context, changes, member, mirror.changesFor(at, []));
  model.follow(change.changes, []);
}
