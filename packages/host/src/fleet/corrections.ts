import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError, messageOf } from '../base/coded-error.ts';
import { mirrorKeyOf } from '../core/mirror.ts';
import { type SharedChange, sharedImageOf, sharedPartOf } from '../core/shared.ts';
import type { Needs } from '../instances/needs.ts';
import type { SharedStore } from '../store/shared-store.ts';
import type { Mirror } from './mirror.ts';
import { AT_ONCE, chunksOf, usesOf } from './uploads.ts';

export interface CorrectionsParts {
  readonly context: Needs<'log' | 'model'>;
  readonly store: Pick<SharedStore, 'commit'>;
  readonly mirror: Mirror;
}

/** The time between tries, as while the member is cut off. */
const AGAIN_MS = 1_000;

/** What is used comes before its users. */
const ORDER = ['profiles', 'images', 'holders', 'aliases', 'instances', 'members'];

/**
 * Makes the fleet's records of this host's own instances, and of what they use, equal to what the host has. It is needed
 * after a crash between a commit and its application here, after a restore of etcd, and when this host has begun to leave
 * the fleet and stays.
 */
export class Corrections {
  readonly #parts: CorrectionsParts;
  readonly #wrong = new Set<string>();
  readonly #conflicts = new Set<string>();
  readonly #abort = new AbortController();
  #isBusy = false;
  #isHeld = false;
  #correcting: Promise<void> = Promise.resolve();

  constructor(parts: CorrectionsParts) {
    this.#parts = parts;
  }

  /** Names of own instances that an instance of another member has, too. */
  get conflicts(): string[] {
    const { context, mirror } = this.#parts;
    const isOne = (name: string) => context.model.isOwn(name) && mirror.others.has(name);
    return [...this.#conflicts].filter(isOne).sort();
  }

  /** Begins to correct the records of objects. @param keys of core/mirror.ts */
  add(keys: Iterable<string>): void {
    for (const key of keys) this.#wrong.add(key);
    if (this.#wrong.size > 0 && !this.#isBusy && !this.#isHeld) void this.#work();
  }

  /** Another member has put these: its records count. */
  forget(changes: readonly SharedChange[]): void {
    for (const change of changes) if (change.kind !== 'put-instance') this.#wrong.delete(mirrorKeyOf(change));
  }

  stop(): void {
    this.#abort.abort();
  }

  /**
   * Corrects nothing from now on. Resolves when a correction that has begun is decided.
   * @returns a function that ends this, and takes keys of further records that are wrong by then
   */
  async hold(): Promise<(keys: Iterable<string>) => void> {
    this.#isHeld = true;
    await this.#correcting.catch(() => {});
    return (keys) => {
      this.#isHeld = false;
      this.add(keys);
    };
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    const { log } = this.#parts.context;
    // The caller that has found them is still changing the state from which they are corrected.
    await sleep(0);
    while (this.#wrong.size > 0 && !this.#isHeld && !this.#abort.signal.aborted) {
      try {
        this.#correcting = this.#correct();
        await this.#correcting;
      } catch (error) {
        if (error instanceof CodedError && error.code === 'fleet-not-member') break;
        log.debug({ reason: messageOf(error) }, 'records of the fleet cannot be corrected for now');
        await sleep(AGAIN_MS, undefined, { signal: this.#abort.signal }).catch(() => {});
      }
    }
    this.#isBusy = false;
  }

  /** Corrects some of the records, from the newest state: it may have changed since the last correction. */
  async #correct(): Promise<void> {
    const { context, store, mirror } = this.#parts;
    const place = (key: string) => ORDER.indexOf(key.slice(0, key.indexOf('/')));
    const keys = [...this.#wrong].sort((one, other) => place(one) - place(other)).slice(0, AT_ONCE);
    const [changes] = chunksOf(keys.flatMap((key) => this.#changeFor(key) ?? []));
    if (!changes) return;
    const parts = { changes, same: [], uses: usesOf(changes), unused: [] };
    const apply = (extra: Parameters<typeof context.model.follow>[0]) => context.model.follow(extra, []);
    await store.commit({ ...parts, based: mirror.fleet.revision, apply });
    for (const change of changes) this.#wrong.delete(mirrorKeyOf(change));
    context.log.warn({ records: changes.map(mirrorKeyOf) }, 'records of the fleet were wrong: corrected');
  }

  /** What makes the record right; null, and it is forgotten, if it is not for this member to do so. */
  #changeFor(key: string): SharedChange | null {
    const name = key.slice(key.indexOf('/') + 1);
    const change = key.startsWith('instances/') ? this.#instance(name) : this.#object(key, name);
    if (!change) this.#wrong.delete(key);
    return change;
  }

  #instance(name: string): SharedChange | null {
    const { context, mirror } = this.#parts;
    const { model, log } = context;
    const isOwn = model.isOwn(name);
    const there = mirror.others.get(name);
    if (isOwn && there) {
      this.#conflicts.add(name);
      log.error(
        { name, member: there.member },
        'another member has an instance of the same name: rename one',
      );
    }
    if (there) return null;
    if (!isOwn) return { kind: 'delete-instance', name };
    return { kind: 'put-instance', instance: sharedPartOf(model.instance(name), mirror.fleet.member) };
  }

  #object(key: string, name: string): SharedChange | null {
    const { context, mirror } = this.#parts;
    const { profiles, images, aliases } = context.model.state;
    const member = mirror.members.get(name);
    const [profile, image, alias] = [profiles.get(name), images.get(name), aliases.get(name)];
    if (key.startsWith('profiles/')) return profile ? { kind: 'put-profile', profile } : null;
    if (key.startsWith('aliases/')) return alias ? { kind: 'put-alias', alias } : null;
    if (key.startsWith('images/')) return image ? { kind: 'put-image', image: sharedImageOf(image) } : null;
    if (key.startsWith('members/'))
      return member ? { kind: 'put-member', member: { ...member, state: 'joined' } } : null;
    const [fingerprint = '', holder = ''] = name.split('/');
    return images.has(fingerprint) ? { kind: 'put-holder', fingerprint, member: holder } : null;
  }
}
