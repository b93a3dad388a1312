import { type HostClient, path } from '../packages/host/src/client/host-client.ts';
import type { InstanceJson } from '../packages/host/src/wire/instance.ts';
import type { ProfileJson } from '../packages/host/src/wire/profile.ts';
import type { Tally } from './tally.ts';

/** A key of each instance, whose value has the instance's name: no other may ever see it. */
const KEY = 'user.tick';
/** A key of the profile that all instances have. */
const SHARED = 'user.shared';
const PROFILE = '/1.0/profiles/default';

/** Changes keys, and knows which changes the daemon has acknowledged. */
export class Ledger {
  readonly #client: HostClient;
  readonly #tally: Tally;
  readonly #acknowledged = new Map<string, number>();
  /** Instances whose last change failed: it may have been stored all the same. */
  readonly #uncertain = new Set<string>();
  #shared = 0;
  #isSharedUncertain = false;

  constructor(client: HostClient, tally: Tally) {
    this.#client = client;
    this.#tally = tally;
  }

  /** The config of a new instance. */
  static configOf(name: string): Record<string, string> {
    return { 'user.id': name, [KEY]: `${name}-0` };
  }

  /** Changes the key of an instance to its next value, and notes how long that took. */
  async changeKey(name: string): Promise<void> {
    if (this.#uncertain.has(name)) await this.#settle(name);
    const next = (this.#acknowledged.get(name) ?? 0) + 1;
    const before = performance.now();
    this.#uncertain.add(name);
    const json = { config: { [KEY]: `${name}-${next}` } };
    await this.#client.change('PATCH', path`/1.0/instances/${name}`, { json });
    this.#uncertain.delete(name);
    this.#tally.answered('change', performance.now() - before);
    this.#acknowledged.set(name, next);
  }

  /** Changes the key of the profile, which is an event for every instance. */
  async changeProfile(): Promise<void> {
    this.#isSharedUncertain = true;
    const next = this.#shared + 1;
    await this.#client.change('PATCH', PROFILE, { json: { config: { [SHARED]: `${next}` } } });
    this.#shared = next;
    this.#isSharedUncertain = false;
  }

  /**
   * Compares what was acknowledged with what the daemon has, and that with what the guests were told.
   * @param names of the guests, by number
   */
  async differences(names: readonly string[]): Promise<string[]> {
    const all = await this.#client.get<InstanceJson[]>('/1.0/instances?recursion=1');
    const configs = new Map(all.map(({ name, config }) => [name, config]));
    const profile = await this.#client.get<ProfileJson>(PROFILE);
    const shared = profile.config[SHARED];
    const lost = shared !== `${this.#shared}` && !this.#isSharedUncertain;
    return [
      ...(lost ? [`the profile has ${SHARED}=${shared}, not ${this.#shared}`] : []),
      ...names.flatMap((name, guest) => {
        const value = configs.get(name)?.[KEY];
        const wanted = `${name}-${this.#acknowledged.get(name) ?? 0}`;
        const told = this.#tally.lastOf(guest, KEY) ?? `${name}-0`;
        return [
          ...(value !== wanted && !this.#uncertain.has(name) ? [`${name} has ${value}, not ${wanted}`] : []),
          ...(told === value ? [] : [`${name} was told ${told}, not ${value}`]),
          ...((this.#tally.lastOf(guest, SHARED) ?? '0') === shared
            ? []
            : [`${name} was told ${SHARED}=${this.#tally.lastOf(guest, SHARED)}, not ${shared}`]),
        ];
      }),
    ];
  }

  async #settle(name: string): Promise<void> {
    const { config } = await this.#client.get<InstanceJson>(path`/1.0/instances/${name}`);
    this.#acknowledged.set(name, Number(config[KEY]?.slice(name.length + 1)));
    this.#uncertain.delete(name);
  }
}
