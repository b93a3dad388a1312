import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { SLICE, slicesOf } from '../base/slices.ts';
import type { Change, State } from '../core/entities.ts';
import { isOwnName, NUMBERS, type Numbers, type RecordKind, recordName } from './record-names.ts';

/** Time from a change to its record. All changes in it make one write, because instances may change keys quickly. */
const WAIT_MS = 5_000;
const PRIVATE_FILE = 0o600;
/** At a start, so much time passes after each slice of records: the main thread is for the requests that wait then. */
const REST_MS = 100;

export interface RecordSource {
  readonly state: State;
  numbers(): Numbers;
}

/** An object that has, or had, a record. */
interface Key {
  readonly kind: RecordKind;
  readonly key: string;
}

/**
 * Writes a small file for each object of the store, from which `portholed recover` makes a database when there is no
 * copy. Nothing waits for it: Node's threads for files write the records, one at a time. A record may be some seconds
 * older than its object.
 */
export class RecordWriter {
  readonly #folder: string;
  #source: RecordSource | undefined;
  readonly #log: Log;
  /** By name of the file. */
  readonly #changed = new Map<string, Key>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** Ends a rest. */
  #goOn = () => {};
  #isTold = false;

  /** @param folder which exists */
  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Call it after each commit. It only notes what has changed. */
  committed(changes: readonly Change[]): void {
    if (!this.#source) return;
    for (const change of changes) {
      const key = keyOf(change);
      if (key) this.#changed.set(recordName(key.kind, key.key), key);
    }
    if (changes.length > 0 && !this.#isStopped)
      this.#timer ??= setTimeout(() => this.#write(), WAIT_MS).unref();
  }

  /** Makes the records of the last daemon equal to the store. The daemon does not wait for it. */
  begin(source: RecordSource): Promise<void> {
    this.#source = source;
    this.#writing = this.#attempt(() => this.#writeAll(source));
    return this.#writing;
  }

  /** Writes the records that are due, and ends. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#goOn();
    clearTimeout(this.#timer);
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#timer = undefined;
    const source = this.#source;
    if (source) this.#writing = this.#writing.then(() => this.#attempt(() => this.#writeChanged(source)));
  }

  async #writeAll(source: RecordSource): Promise<void> {
    const others = new Set((await readdir(this.#folder)).filter(isOwnName));
    others.delete(NUMBERS);
    for (const slice of slicesOf(keysOf(source.state))) {
      for (const { kind, key } of slice) {
        if (this.#isStopped) return;
        others.delete(recordName(kind, key));
        await this.#put(source, { kind, key });
      }
      if (slice.length === SLICE) await this.#rest();
    }
    // Their objects are gone. An object made since the list was read may lose its record here, but it counts as
    // changed, so its record is written again.
    for (const name of others) await rm(join(this.#folder, name), { force: true });
    await this.#putNumbers(source);
  }

  async #rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, REST_MS);
    this.#goOn = resolve;
    await promise;
    clearTimeout(timer);
  }

  async #writeChanged(source: RecordSource): Promise<void> {
    const keys = [...this.#changed];
    for (const [name, key] of keys) {
      this.#changed.delete(name);
      await this.#put(source, key);
    }
    if (keys.length > 0) await this.#putNumbers(source);
  }

  async #putNumbers(source: RecordSource): Promise<void> {
    await this.#replace(NUMBERS, JSON.stringify(source.numbers()));
  }

  /** Writes the record of an object as it is now, or removes it. */
  async #put(source: RecordSource, { kind, key }: Key): Promise<void> {
    const name = recordName(kind, key);
    const value = objectOf(source.state, kind, key);
    if (value === undefined) await rm(join(this.#folder, name), { force: true });
    else await this.#replace(name, JSON.stringify(value));
  }

  async #replace(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    const before = await readFile(path, 'utf8').catch(() => null);
    if (before === text) return;
    // Without a sync, because commits would have to wait for it. If a crash of the host leaves an incomplete record,
    // the next start writes it again.
    const temporary = `${path}.tmp`;
    await writeFile(temporary, text, { mode: PRIVATE_FILE });
    await rename(temporary, path);
  }

  /** Logs only the first failure. The next change, or the next start, writes the record again. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#isTold)
        this.#log.warn({ reason: messageOf(error) }, 'records for a recovery could not be written');
      this.#isTold = true;
    }
  }
}

function keysOf(state: State): Key[] {
  const all = (kind: RecordKind, keys: Iterable<string | number>) =>
    [...keys].map((key) => ({ kind, key: String(key) }));
  return [
    ...all('profile', state.profiles.keys()),
    ...all('image', state.images.keys()),
    ...all('alias', state.aliases.keys()),
    ...all('instance', state.instances.keys()),
  ];
}

function objectOf(state: State, kind: RecordKind, key: string): object | undefined {
  if (kind === 'instance') return state.instances.get(Number(key));
  if (kind === 'profile') return state.profiles.get(key);
  return kind === 'image' ? state.images.get(key) : state.aliases.get(key);
}

function keyOf(change: Change): Key | null {
  switch (change.kind) {
    case 'put-instance':
      return { kind: 'instance', key: String(change.instance.id) };
    case 'delete-instance':
      return { kind: 'instance', key: String(change.id) };
    case 'put-profile':
      return { kind: 'profile', key: change.profile.name };
    case 'delete-profile':
      return { kind: 'profile', key: change.name };
    case 'put-image':
      return { kind: 'image', key: change.image.fingerprint };
    case 'delete-image':
      return { kind: 'image', key: change.fingerprint };
    case 'put-alias':
      return { kind: 'alias', key: change.alias.name };
    case 'delete-alias':
      return { kind: 'alias', key: change.name };
    default:
      return null;
  }
}
