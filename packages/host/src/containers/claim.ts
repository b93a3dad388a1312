import { isAdopted } from '../core/adopted.ts';
import { type Container, containerOf } from '../core/container.ts';
import type { Config, Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { recordOf } from '../core/records.ts';
import type { Described } from './described.ts';

/** The name, profiles and config that a container gets, made from its words. */
export interface Claim {
  readonly name: string;
  /** Null if the words name none. */
  readonly profiles: readonly string[] | null;
  readonly ephemeral: boolean;
  readonly config: Config;
}

/** LXD's limit for the name of an instance. */
const NAME_MAX = 63;
/** Without any name, this many digits of the id become the name. */
const ID_DIGITS = 12;
const CONFIG = 'config.';

/** Keys that a user may set for the user's own containers: data that only the container reads. */
const USERS_KEYS = /^(user|cloud-init)\./;

/** Each key may cause an event at each start, and the journal has room for a limited number of events. */
const USERS_KEYS_MAX = 32;

/**
 * The claim of a container that a user of the host has started. Its name begins with `u` and the user's uid. It has no
 * profiles, because a profile may contain secrets. Its keys are data for the container.
 * @throws bad-request for another key, or too many keys
 */
export function claimOfUser(uid: number, described: Described): Claim {
  const { name, ephemeral, config } = claimOf(described);
  if (Object.keys(config).length > USERS_KEYS_MAX)
    throw hostError('bad-request', `a user may set at most ${USERS_KEYS_MAX} keys of a container`);
  const refused = Object.keys(config).find((key) => !USERS_KEYS.test(key));
  if (refused !== undefined) throw hostError('bad-request', `only root may set "${refused}"`);
  const its = `u${uid}-${name}`.slice(0, NAME_MAX).replace(/-+$/, '');
  return { name: its, profiles: [], ephemeral, config };
}

/**
 * The claim of a container: the operator's words, and without a name in them, the container's name in its runtime.
 * @throws bad-request for a key that only the daemon sets, and for a bad value of `ephemeral`
 */
export function claimOf({ container, words }: Described): Claim {
  const config = Object.entries(words).filter(([word]) => word.startsWith(CONFIG));
  const servers = config.find(([word]) => word.startsWith(`${CONFIG}volatile.`))?.[0];
  if (servers !== undefined)
    throw hostError('bad-request', `only the daemon may set "${servers.slice(CONFIG.length)}"`);
  const ephemeral = words['ephemeral'] ?? 'false';
  if (!['true', 'false'].includes(ephemeral))
    throw hostError(
      'bad-request',
      `"ephemeral" of the container is "${ephemeral}": it must be true or false`,
    );
  return {
    name: words['name'] ?? nameOf(container),
    profiles: words['profiles'] === undefined ? null : listOf(words['profiles']),
    ephemeral: ephemeral === 'true',
    config: recordOf(config.map(([word, value]) => [word.slice(CONFIG.length), value] as const)),
  };
}

const listOf = (text: string) =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);

/**
 * The container's name, changed so that it is valid for an instance: `my_web.1` becomes `my-web-1`, and a name that
 * begins with a digit gets a `c` before it.
 */
function nameOf({ name, id }: Container): string {
  const plain = (name || id.slice(0, ID_DIGITS)).replace(/[^A-Za-z0-9-]/g, '-').replace(/^-+/, '');
  return (/^\d/.test(plain) ? `c${plain}` : plain).slice(0, NAME_MAX).replace(/-+$/, '');
}

/**
 * The instance that a container continues: the one that it was before, or the one that has the claimed name. Null if
 * the container becomes a new instance.
 * @throws bad-request if the name belongs to something else: a container must not get config and events of another one
 */
export function continuedBy(
  { runtime, id, name, owner }: Container,
  claim: Claim,
  instances: Iterable<Instance>,
): Instance | null {
  let named: Instance | null = null;
  for (const instance of instances) {
    const its = containerOf(instance.config);
    if (its?.id === id && its.runtime === runtime && its.owner === owner) return instance;
    if (instance.name === claim.name) named = instance;
  }
  if (named === null) return null;
  const its = containerOf(named.config);
  const isIts = its !== null && its.runtime === runtime && its.owner === owner;
  // All names with the prefix of a user belong to that user.
  if (isIts && (owner !== '' || (name !== '' && its.name === name))) return named;
  // An operator has adopted it by hand, and only an operator can give a container of root its name.
  if (its === null && isAdopted(named.config) && owner === '') return named;
  const what = 'give this container another name, or delete or rename that instance';
  throw hostError('bad-request', `${whose(named, its)}: ${what}`);
}

function whose({ name }: Instance, its: Container | null): string {
  const one = `the name "${name}" belongs to`;
  return its === null
    ? `${one} another instance`
    : `${one} container ${its.name || its.id} of ${its.runtime}`;
}
