import { NEVER } from '../../base/clock.ts';
import type { Image } from '../../core/entities.ts';
import type { Member } from '../../core/shared.ts';
import { FakeMachine } from '../../instances/testing/fake-machine.ts';
import { FakeClock } from '../../instances/testing/fake-world.ts';
import { Heart } from '../../instances/testing/heart.ts';
import type { SharedSide } from '../../model/agreement.ts';
import type { SharedStore } from '../../store/shared-store.ts';
import { openDatabase } from '../../store/sqlite/open.ts';
import { commitConfirmed } from '../confirm.ts';
import { CutOff } from '../cut-off.ts';
import { Following } from '../following.ts';
import { join } from '../join.ts';
import { MemberFleet } from '../member.ts';
import { Mirror } from '../mirror.ts';
import type { MemoryHistory, MemoryStore } from './memory-store.ts';

type World = Heart['world'];

/** A member as it is when it has joined. */
export function memberOf(name: string): Member {
  return {
    ...{ name, address: `${name}:8443`, fingerprint: name.repeat(64).slice(0, 64), version: '1.0.0' },
    ...{ api: 1, architecture: 'x86_64', joinedAt: '2026-01-01T00:00:00Z', state: 'joined' },
  };
}

/** A host of a fleet: a daemon's heart, whose shared objects are in a history in memory. */
export class MemberHost {
  readonly heart: Heart;
  readonly mirror: Mirror;
  readonly store: MemoryStore;
  readonly fleet: MemberFleet;
  readonly following: Following;
  readonly #history: MemoryHistory;
  /** How often the host has found that it is no member any more. */
  removed = 0;

  private constructor(heart: Heart, history: MemoryHistory, mirror: Mirror, store: MemoryStore) {
    this.heart = heart;
    this.#history = history;
    this.mirror = mirror;
    this.store = store;
    store.member = mirror.fleet.member;
    const { model } = heart;
    this.fleet = new MemberFleet({
      ...{ mirror, store, cutOff: new CutOff(heart.world.clock), state: () => model.state },
      agents: {
        of() {
          throw new Error('there are no connections');
        },
      },
      has: (name) => model.isOwn(name),
      write: (changes) => model.follow(changes, []),
      imageFiles: (fingerprint) => [fingerprint],
    });
    const removed = () => void this.removed++;
    this.following = new Following({ context: heart.parts, store, mirror, removed, imagesGone: () => {} });
    this.fleet.following = this.following;
    this.following.start();
  }

  /** Brings a single host into the fleet. @param prepare makes what it has before */
  static async join(
    history: MemoryHistory,
    name: string,
    prepare: (heart: Heart) => Promise<unknown> | unknown = () => {},
    member: Member = memberOf(name),
  ): Promise<MemberHost> {
    const world = { machine: new FakeMachine(), clock: new FakeClock(), database: openDatabase(':memory:') };
    const single = await Heart.begin(world);
    await prepare(single);
    const store = history.open();
    const hold = async () => {};
    await join({ ...single.parts, hold }, store, member, () => {});
    single.life.end();
    single.stop();
    history.write([{ kind: 'put-alive', member: name, run: 'r1' }]);
    return MemberHost.#begin(history, world);
  }

  /** Gives the host an image. */
  async addImage(fingerprint: string): Promise<void> {
    const times = { createdAt: NEVER, uploadedAt: NEVER, lastUsedAt: NEVER, expiresAt: NEVER };
    const image: Image = {
      ...{ fingerprint, architecture: 'x86_64', size: 10, filename: 'i.tar.gz', ...times },
      ...{ public: false, cached: false, autoUpdate: false, properties: {}, profiles: ['default'] },
      files: { kind: 'unified', extension: '.tar.gz' },
    };
    this.heart.images.stored.add(fingerprint);
    await this.heart.model.change(() => ({ changes: [{ kind: 'put-image', image }] }));
  }

  /** Kills the daemon. @returns the next one */
  crash(): Promise<MemberHost> {
    this.heart.life.end();
    this.stop();
    return MemberHost.#begin(this.#history, this.heart.world);
  }

  stop(): void {
    this.following.stop();
    this.heart.stop();
    this.#history.stores.delete(this.store);
  }

  static async #begin(history: MemoryHistory, world: World): Promise<MemberHost> {
    const store = history.open();
    let mirror: Mirror | undefined;
    // The heart has the mirror only when its store is open.
    const now = () => {
      if (!mirror) throw new Error('the mirror is not there yet');
      return mirror;
    };
    const confirmed: Pick<SharedStore, 'commit'> = {
      commit: (commit) => commitConfirmed({ store, mirror: now(), ask: async () => true }, commit),
    };
    const shared: SharedSide = {
      store: confirmed,
      get member() {
        return now().fleet.member;
      },
      revision: () => now().fleet.revision,
      others: () => mirror?.others ?? new Map(),
      holders: (image) => now().holdersOf(image),
    };
    const heart = await Heart.begin({ ...world, shared }, null, ({ store: local }) => {
      const kept = local.fleet();
      if (kept) mirror = new Mirror(kept.fleet, kept.mirror);
    });
    return new MemberHost(heart, history, now(), store);
  }
}
