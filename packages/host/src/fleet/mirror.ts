import { slicesOf } from '../base/slices.ts';
import type { Change, Fleet } from '../core/entities.ts';
import { mirrorKeyOf } from '../core/mirror.ts';
import type { Member, SharedChange, SharedInstance } from '../core/shared.ts';

/** A place in the fleet's history. */
type Position = Pick<Fleet, 'revision' | 'mark'>;

/** Rows that are held back: to write them takes some milliseconds, and each commit more waits for the disk. */
export const HELD_MAX = 1_000;

/** Kinds of objects that the model has itself. */
const OF_MODEL = /^(profiles|images|aliases)\//;

/**
 * What a member knows of the fleet beside what its model has: its members, their leases, the instances of the others,
 * and who has the files of which image. Invariant: it equals the rows of the local store after every commit of
 * {@link changesFor}.
 */
export class Mirror {
  #fleet: Fleet;
  readonly #puts = new Map<string, SharedChange>();
  readonly #others = new Map<string, SharedInstance>();
  readonly #members = new Map<string, Member>();
  #lastOwn: Member | undefined;
  readonly #alive = new Map<string, string>();
  /** By fingerprint, members that have the files of an image. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #listeners = new Set<() => void>();
  /** By key, the rows that are not written yet. */
  readonly #unwritten = new Map<string, Change>();
  #isWritten = true;

  /** @param texts what the local store keeps */
  constructor(fleet: Fleet, texts: ReadonlyMap<string, string>) {
    this.#fleet = fleet;
    for (const text of texts.values()) this.#take(JSON.parse(text) as SharedChange);
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  /** The instances of other members, by name. */
  get others(): ReadonlyMap<string, SharedInstance> {
    return this.#others;
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /** The newest record of this host, also after it was removed. */
  get lastOwn(): Member | undefined {
    return this.#lastOwn;
  }

  /** By member, the run of its daemon that has a lease. */
  get alive(): ReadonlyMap<string, string> {
    return this.#alive;
  }

  /** Members that have the files of an image. */
  holdersOf(fingerprint: string): ReadonlySet<string> {
    return this.#holders.get(fingerprint) ?? new Set();
  }

  /** The kept objects, by their keys. */
  get puts(): ReadonlyMap<string, SharedChange> {
    return this.#puts;
  }

  /** Calls back after each change; returns a function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whether the local store has the newest state. */
  get isWritten(): boolean {
    return this.#isWritten;
  }

  /** Whether as many rows are not written yet as one turn may take. */
  get isFull(): boolean {
    return this.#unwritten.size >= HELD_MAX;
  }

  /**
   * Whether changes can be written later: they reach nothing that this host's model has. Records of members cannot: the
   * next daemon decides by them whether it may start.
   */
  canWait(changes: readonly SharedChange[]): boolean {
    return changes.every((change) => this.#isKept(change) && !change.kind.endsWith('-member'));
  }

  /** Changes of the local store that make it equal to the fleet at a revision, with those that it lacks. */
  changesFor(at: Position, changes: readonly SharedChange[]): Change[] {
    const rows = this.#rowsOf(this.#keptOf(changes));
    return [{ kind: 'put-fleet', fleet: this.#fleetAt(at) }, ...this.#unwritten.values(), ...rows.values()];
  }

  /** The rows of many changes, in slices that are written before {@link changesFor}; it has older ones no more. */
  *rowsAhead(changes: readonly SharedChange[]): Generator<readonly Change[]> {
    for (const slice of slicesOf(this.#keptOf(changes))) {
      const rows = this.#rowsOf(slice);
      for (const key of rows.keys()) this.#unwritten.delete(key);
      yield [...rows.values()];
    }
  }

  /** Call it when the local store has the changes. */
  apply(at: Position, changes: readonly SharedChange[]): void {
    this.#unwritten.clear();
    this.#isWritten = true;
    this.#show(at, changes);
  }

  /** Takes changes that the local store gets later, with others. */
  hold(at: Position, changes: readonly SharedChange[]): void {
    for (const [key, row] of this.#rowsOf(this.#keptOf(changes))) this.#unwritten.set(key, row);
    this.#isWritten = false;
    this.#show(at, changes);
  }

  #rowsOf(kept: readonly SharedChange[]): Map<string, Change> {
    return new Map(
      kept.map((change): [string, Change] => {
        const key = mirrorKeyOf(change);
        return change.kind.startsWith('put-')
          ? [key, { kind: 'put-mirror', key, put: JSON.stringify(change) }]
          : [key, { kind: 'delete-mirror', key }];
      }),
    );
  }

  #show(at: Position, changes: readonly SharedChange[]): void {
    for (const change of this.#keptOf(changes)) this.#take(change);
    this.#fleet = this.#fleetAt(at);
    for (const listener of this.#listeners) listener();
  }

  #fleetAt({ revision, mark }: Position): Fleet {
    const { member } = this.#fleet;
    return { member, revision, ...(mark === undefined ? {} : { mark }) };
  }

  /**
   * That this host has the files of an image is kept as long as there is the image: a member that leaves, or is removed,
   * still has them.
   */
  #keptOf(changes: readonly SharedChange[]): SharedChange[] {
    const gone = new Set(changes.flatMap((each) => (each.kind === 'delete-image' ? each.fingerprint : [])));
    const isStillHere = (change: SharedChange) =>
      change.kind === 'delete-holder' &&
      change.member === this.#fleet.member &&
      !gone.has(change.fingerprint);
    return changes.filter((change) => this.#isKept(change) && !isStillHere(change));
  }

  /** The model has its own instances. A record that became another member's is kept from then on. */
  #isKept(change: SharedChange): boolean {
    if (OF_MODEL.test(mirrorKeyOf(change))) return false;
    if (change.kind === 'put-instance') return change.instance.member !== this.#fleet.member;
    return change.kind !== 'delete-instance' || this.#others.has(change.name);
  }

  #take(change: SharedChange): void {
    const key = mirrorKeyOf(change);
    if (change.kind.startsWith('put-')) this.#puts.set(key, change);
    else this.#puts.delete(key);
    switch (change.kind) {
      case 'put-instance':
        this.#others.set(change.instance.name, change.instance);
        return;
      case 'delete-instance':
        this.#others.delete(change.name);
        return;
      case 'put-member':
        this.#members.set(change.member.name, change.member);
        if (change.member.name === this.#fleet.member) this.#lastOwn = change.member;
        return;
      case 'delete-member':
        this.#members.delete(change.name);
        return;
      case 'put-alive':
        this.#alive.set(change.member, change.run);
        return;
      case 'delete-alive':
        this.#alive.delete(change.member);
        return;
      case 'put-holder':
        this.#holders.set(
          change.fingerprint,
          new Set(this.#holders.get(change.fingerprint)).add(change.member),
        );
        return;
      case 'delete-holder':
        this.#holders.get(change.fingerprint)?.delete(change.member);
        return;
    }
  }
}
