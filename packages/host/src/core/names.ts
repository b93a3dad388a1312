import { hostError } from './host-errors.ts';
import { NAME_ADJECTIVES, NAME_NOUNS } from './name-words.ts';
import type { Random } from './random.ts';
import { hasControl } from './texts.ts';

/** LXD's limit, equal to that of a label of a host name. */
const INSTANCE_NAME_MAX = 63;
/** LXD's limits for names of devices. LXD has another error for names above the second limit. */
const DEVICE_NAME_MAX = 63;
const DEVICE_NAME_REFUSED = 64;
/** Long enough for any name that a person types; keeps rows, URLs and lists short. */
const PROFILE_NAME_MAX = 64;
/** Longer than the limit of profile names: aliases are paths such as `debian/12/cloud`. */
const ALIAS_NAME_MAX = 255;

type Rule = readonly [holds: (name: string) => boolean, text: string];

/** LXD's rules for an instance's name, in the order in which LXD applies them. */
const INSTANCE_NAME_RULES: readonly Rule[] = [
  [
    (name) => name.length >= 1 && name.length <= INSTANCE_NAME_MAX,
    `Name must be 1-${INSTANCE_NAME_MAX} characters long`,
  ],
  [(name) => !name.startsWith('-'), 'Name must not start with "-" character'],
  [(name) => !name.endsWith('-'), 'Name must not end with "-" character'],
  [(name) => !/^\d/.test(name), 'Name must not start with a number'],
  [(name) => /^[A-Za-z0-9-]+$/.test(name), 'Name can only contain alphanumeric and hyphen characters'],
];

/** @throws invalid-name with the first of LXD's rules that the name breaks */
export function checkInstanceName(name: string): void {
  const broken = INSTANCE_NAME_RULES.find(([holds]) => !holds(name));
  if (broken) throw hostError('invalid-name', broken[1]);
}

/** LXD's rules for a device's name. */
const DEVICE_NAME_RULES: readonly Rule[] = [
  [
    (name) => name.length >= 1 && name.length <= DEVICE_NAME_MAX,
    `Name must be 1-${DEVICE_NAME_MAX} characters long`,
  ],
  [(name) => !name.startsWith('.'), 'Name must not start with "." character'],
  [
    (name) => /^[A-Za-z0-9/:_.-]+$/.test(name),
    'Name can only contain alphanumeric, forward slash, hyphen, colon, underscore and full stop characters',
  ],
];

/** @throws bad-request with LXD's text */
export function checkDeviceName(name: string): void {
  if (name.length > DEVICE_NAME_REFUSED) {
    throw hostError('bad-request', `The maximum device name length is ${DEVICE_NAME_REFUSED} characters`);
  }
  const broken = DEVICE_NAME_RULES.find(([holds]) => !holds(name));
  if (broken)
    throw hostError('bad-request', `Device validation failed for ${JSON.stringify(name)}: ${broken[1]}`);
}

/** @throws no-name, profile-name-slash, profile-name-invalid */
export function checkProfileName(name: string): void {
  if (name === '') throw hostError('no-name');
  if (name.includes('/')) throw hostError('profile-name-slash');
  if (name === '.' || name === '..' || name.length > PROFILE_NAME_MAX || !isPlain(name)) {
    throw hostError('profile-name-invalid', shown(name, PROFILE_NAME_MAX));
  }
}

/** @throws no-name, alias-name-invalid; slashes are allowed */
export function checkAliasName(name: string): void {
  if (name === '') throw hostError('no-name');
  if (name.length > ALIAS_NAME_MAX || !isPlain(name)) {
    throw hostError('alias-name-invalid', shown(name, ALIAS_NAME_MAX));
  }
}

/** Tries per length, enough unless nearly all names are taken; then names get one word longer. */
const DRAWS_PER_LENGTH = 64;
const WORDS_MAX = 6;

/**
 * Chooses a name for a new instance: two lower-case words joined by `-`, more if those names seem taken.
 * @throws bad-request if names of every length seem taken
 */
export function generateName(random: Random, taken: (name: string) => boolean): string {
  for (let words = 2; words <= WORDS_MAX; words++) {
    for (let draw = 0; draw < DRAWS_PER_LENGTH; draw++) {
      const name = drawName(random, words);
      if (!taken(name)) return name;
    }
  }
  throw hostError('bad-request', 'No free instance name was found, choose one');
}

function drawName(random: Random, words: number): string {
  const lists = [...Array<readonly string[]>(words - 1).fill(NAME_ADJECTIVES), NAME_NOUNS];
  const bytes = random.bytes(words);
  return lists.map((list, index) => list[(bytes[index] ?? 0) % list.length]).join('-');
}

function isPlain(name: string): boolean {
  return !hasControl(name) && name.isWellFormed();
}

/** A name for a message: cut to the maximum length, with line breaks escaped. */
function shown(name: string, max: number): string {
  return JSON.stringify(name.slice(0, max)).slice(1, -1);
}
