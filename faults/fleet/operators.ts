import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../fuzz/random.ts';
import { OperationError } from '../../packages/host/src/client/client-errors.ts';
import { type ChangeOptions, HostClient, path } from '../../packages/host/src/client/host-client.ts';
import { requireSuccess } from '../../packages/host/src/client/operations.ts';
import type { ChangeTry, Look } from '../check/fleet/record.ts';
import { endOf } from './answers.ts';
import type { FleetDaemon } from './member.ts';
import { nowMs } from './time.ts';

/** How long an operator waits for a change; after that, it is not known whether it was made. */
const CHANGE_MS = 30_000;

/** Between two changes of one operator. */
const REST_MS = 250;

const PROFILES: readonly string[] = ['web', 'db', 'cache'];
const KEYS: readonly string[] = ['user.k0', 'user.k1'];
const PROFILE_KEYS: readonly string[] = ['user.p0', 'user.p1'];

interface Shown {
  readonly config: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** What an operator does next. */
interface Job {
  readonly object: string;
  readonly kind: 'put' | 'delete';
  readonly mark: string;
  readonly request: readonly [method: string, target: string, options?: ChangeOptions];
  /** Called when it is done. */
  readonly done?: () => void;
}

export interface OperatorParts {
  readonly members: readonly FleetDaemon[];
  readonly instances: readonly string[];
  /** Of an image. */
  readonly fingerprint: string;
  readonly random: Random;
}

/** The profiles that operators change. */
export const CHANGED_PROFILES = PROFILES;

/** Operators on all members, who change what they share, and note what came of it. */
export class Operators {
  readonly changes: ChangeTry[] = [];
  readonly looks: Look[] = [];
  readonly #parts: OperatorParts;
  #number = 0;
  /** Made by an operator, and not deleted yet. */
  readonly #temporary: string[] = [];

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** One operator, on one member, until told to stop. */
  async work(member: FleetDaemon, random: Random, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#change(member, random);
      await wait(random.below(2 * REST_MS), undefined, { signal }).catch(() => {});
    }
  }

  /** The last change of an instance, when all faults are over. @returns what is wrong */
  async mark(member: FleetDaemon, instance: string): Promise<readonly string[]> {
    const job = this.#setKey(instance, 'user.end');
    const { outcome, text } = await this.#perform(member, job);
    return outcome === 'done' ? [] : [`${job.object} at ${member.name} cannot be changed: ${text}`];
  }

  async #change(member: FleetDaemon, random: Random): Promise<void> {
    const job = await this.#draw(member, random).catch(() => null);
    if (!job) return;
    const tried = await this.#perform(member, job);
    if (tried.outcome !== 'done' || tried.kind !== 'put' || tried.object.startsWith('aliases/')) return;
    const other = random.pick(this.#parts.members.filter((each) => each !== member));
    // At once: a member that shows the change late may show it soon.
    if (tried.object.startsWith('profiles/') && !tried.unconfirmed.includes(other.name))
      await this.#look(tried, other);
    await this.#look(tried, member);
  }

  async #perform(member: FleetDaemon, { object, kind, mark, request, done }: Job): Promise<ChangeTry> {
    const begin = nowMs();
    const unconfirmed: string[] = [];
    const client = new HostClient(member.client.socketPath, {
      signal: AbortSignal.timeout(CHANGE_MS),
      onUnconfirmed: (names) => unconfirmed.push(...names),
    });
    const ended = await ask(client, request, unconfirmed);
    if (ended.outcome === 'done') done?.();
    const change: ChangeTry = {
      ...{ mark, by: 'operator', member: member.name, object, kind, begin, end: nowMs(), unconfirmed },
      ...ended,
    };
    this.changes.push(change);
    return change;
  }

  /** Notes what a member shows of an object that was changed; nothing if it does not answer. */
  async #look({ mark, object, member: asked }: ChangeTry, at: FleetDaemon): Promise<void> {
    const begin = nowMs();
    const signal = AbortSignal.timeout(CHANGE_MS);
    const client = new HostClient(at.client.socketPath, { signal });
    const shown = await client.get<Shown>(`/1.0/${object}`).then(
      ({ config }) => ({ config, isKnown: true }),
      (error) => ({ config: null, isKnown: /not found$/i.test(endOf(error).text) }),
    );
    const { config, isKnown } = shown;
    if (isKnown) this.looks.push({ mark, asked, member: at.name, object, begin, end: nowMs(), config });
  }

  async #draw(member: FleetDaemon, random: Random): Promise<Job> {
    const dice = random.below(100);
    const instance = random.pick(this.#parts.instances);
    if (dice < 25) return this.#setKey(instance, random.pick(KEYS));
    if (dice < 50) return this.#setProfileKey(random.pick(PROFILES), random.pick(PROFILE_KEYS));
    if (dice < 62) return this.#count(member, `profiles/${random.pick(PROFILES)}`);
    if (dice < 72) return this.#count(member, `instances/${instance}`);
    if (dice < 80) return this.#setProfiles(instance, random);
    return this.#temporaryJob(random);
  }

  #mark(): string {
    return `o${++this.#number}`;
  }

  #setKey(instance: string, key: string): Job {
    const mark = this.#mark();
    return {
      ...{ object: `instances/${instance}`, kind: 'put', mark },
      request: ['PATCH', path`/1.0/instances/${instance}`, { json: { config: { [key]: mark } } }],
    };
  }

  #setProfileKey(profile: string, key: string): Job {
    const mark = this.#mark();
    return {
      ...{ object: `profiles/${profile}`, kind: 'put', mark },
      request: ['PATCH', path`/1.0/profiles/${profile}`, { json: { config: { [key]: mark } } }],
    };
  }

  /** Counts with If-Match, so that no two count to the same number. */
  async #count(member: FleetDaemon, object: string): Promise<Job> {
    const { value, etag } = await member.client.getTagged<Shown>(`/1.0/${object}`);
    const count = Number.parseInt(value.config['user.count'] ?? '0', 10) + 1;
    const mark = `${count}.${this.#mark()}`;
    const json = { ...value, config: { ...value.config, 'user.count': mark } };
    return {
      ...{ object, kind: 'put', mark },
      request: ['PUT', `/1.0/${object}`, { json, headers: etag ? { 'if-match': etag } : {} }],
    };
  }

  #setProfiles(instance: string, random: Random): Job {
    const mark = this.#mark();
    const profiles = ['default', ...PROFILES.filter(() => random.percent(50))];
    const json = { profiles, config: { 'user.mark': mark } };
    return {
      ...{ object: `instances/${instance}`, kind: 'put', mark },
      request: ['PATCH', path`/1.0/instances/${instance}`, { json }],
    };
  }

  /** Makes a profile or an alias, or deletes one that was made. */
  #temporaryJob(random: Random): Job {
    if (this.#temporary.length > 0 && random.percent(45)) {
      const [object] = this.#temporary.splice(random.below(this.#temporary.length), 1) as [string];
      const [folder, name = ''] = object.split('/');
      const target = folder === 'profiles' ? path`/1.0/profiles/${name}` : path`/1.0/images/aliases/${name}`;
      return {
        object,
        kind: 'delete',
        mark: this.#mark(),
        request: ['DELETE', target],
      };
    }
    const mark = this.#mark();
    const isProfile = random.percent(60);
    const object = `${isProfile ? 'profiles' : 'aliases'}/t-${mark}`;
    const json = isProfile
      ? { name: `t-${mark}`, description: '', config: { 'user.t': mark }, devices: {} }
      : { name: `t-${mark}`, description: mark, target: this.#parts.fingerprint };
    const request = ['POST', isProfile ? '/1.0/profiles' : '/1.0/images/aliases', { json }] as const;
    return { object, kind: 'put', mark, request, done: () => void this.#temporary.push(object) };
  }
}

/** Sends a change, and waits for its operation. If the wait fails, the change may have been made. */
async function ask(
  client: HostClient,
  request: Job['request'],
  unconfirmed: string[],
): Promise<Pick<ChangeTry, 'outcome' | 'text'>> {
  let isBegun = false;
  try {
    const operation = await client.begin(...request);
    isBegun = true;
    if (operation) {
      const { metadata } = requireSuccess(await client.wait(operation));
      unconfirmed.push(...((metadata?.['porthole_unconfirmed'] ?? []) as string[]));
    }
    return { outcome: 'done', text: '' };
  } catch (error) {
    const end = endOf(error);
    return isBegun && !(error instanceof OperationError) ? { ...end, outcome: 'unknown' } : end;
  }
}
