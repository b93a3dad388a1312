import type { Revision } from './record.ts';

type Config = Readonly<Record<string, string>>;

/** A profile or an instance, as etcd has it. */
export interface ObjectRecord {
  readonly config: Config;
  readonly profiles: readonly string[];
  readonly description: string;
}

/** An object at a revision; null: it was deleted. */
export interface ObjectState {
  readonly revision: number;
  readonly record: ObjectRecord | null;
}

/** A key of an instance, as its guest sees it, that had another value from a revision on. Empty: not set. */
export interface KeyChange {
  readonly revision: number;
  readonly key: string;
  readonly old: string;
  readonly value: string;
}

const GUEST_CONFIG = 'security.devlxd.guest_config';

/** What the fleet was at each revision, read from etcd's values alone. */
export class FleetHistory {
  readonly #states = new Map<string, ObjectState[]>();
  readonly last: number;

  constructor(history: readonly Revision[]) {
    for (const { revision, puts } of history)
      for (const [key, value] of puts) {
        const states = this.#states.get(key) ?? [];
        states.push({ revision, record: value === null ? null : readRecord(value) });
        this.#states.set(key, states);
      }
    this.last = history.at(-1)?.revision ?? 0;
  }

  /** The objects below a folder that have ever been there, such as `profiles`. */
  names(folder: string): string[] {
    const start = `${folder}/`;
    return [...this.#states.keys()]
      .filter((key) => key.startsWith(start))
      .map((key) => key.slice(start.length));
  }

  states(object: string): readonly ObjectState[] {
    return this.#states.get(object) ?? [];
  }

  /** The object at a revision; null: it was not there. */
  at(object: string, revision: number): ObjectRecord | null {
    return this.states(object).findLast((state) => state.revision <= revision)?.record ?? null;
  }

  /** The changes that the guest of an instance must hear of, in order. */
  keyChanges(instance: string): KeyChange[] {
    const object = `instances/${instance}`;
    const used = new Set(this.states(object).flatMap(({ record }) => record?.profiles ?? []));
    const reach = [object, ...[...used].map((name) => `profiles/${name}`)];
    const revisions = new Set(reach.flatMap((each) => this.states(each).map(({ revision }) => revision)));
    const changes: KeyChange[] = [];
    let before: Config = {};
    for (const revision of [...revisions].sort((one, other) => one - other)) {
      const after = this.#seenAt(object, revision);
      changes.push(...changesBetween(before, after, revision));
      before = after;
    }
    return changes;
  }

  /** The keys that a guest sees. */
  #seenAt(object: string, revision: number): Config {
    const record = this.at(object, revision);
    if (!record) return {};
    const layers = record.profiles.map((name) => this.at(`profiles/${name}`, revision)?.config ?? {});
    const all = Object.assign({}, ...layers, record.config) as Record<string, string>;
    const isSeen = (key: string) =>
      key.startsWith('user.') || (key.startsWith('guest.') && all[GUEST_CONFIG] === 'true');
    return Object.fromEntries(Object.entries(all).filter(([key]) => isSeen(key)));
  }
}

function changesBetween(before: Config, after: Config, revision: number): KeyChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    const [old, value] = [before[key] ?? '', after[key] ?? ''];
    return old === value ? [] : [{ revision, key, old, value }];
  });
}

/** Other objects than profiles and instances have no config. */
function readRecord(value: string): ObjectRecord {
  let read: unknown;
  try {
    read = JSON.parse(value);
  } catch {
    read = null;
  }
  const { config = {}, profiles = [], description = '' } = (read ?? {}) as Partial<ObjectRecord>;
  return { config, profiles, description };
}
