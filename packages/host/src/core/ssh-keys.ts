import { type CloudConfig, type Problem, readCloudConfig } from './cloud-config.ts';
import { mergeUsers, type UserKeys } from './cloud-config-merge.ts';
import type { Config } from './entities.ts';
import { hasGuestKeys, isGuestKey } from './guest-keys.ts';
import { remembering } from './memo.ts';
import { sortedKeys } from './records.ts';

/** The guest API's answers for `user.*` and `cloud-init.*` keys, and for `guest.*` if they are allowed. */
export interface MergedConfig {
  /** Key to value. */
  readonly config: ReadonlyMap<string, string>;
  /** Keys to list, sorted: all of `config` except those of the ssh keys themselves. */
  readonly listed: readonly string[];
  /** For each text that lacks the ssh keys, the reason. They contain no values, which may be secret. */
  readonly warnings: readonly string[];
}

const SSH_KEYS = 'cloud-init.ssh-keys.';

/**
 * The keys that an instance may read, with `cloud-init.ssh-keys.*` merged into user data and vendor data
 * (docs/cloud-init.md). Without ssh keys, every value is exactly as it was set.
 * @param expanded the instance's expanded config
 */
export function mergedConfig(expanded: Config): MergedConfig {
  const guestKeys = hasGuestKeys(expanded);
  const isShown = (key: string) => (isGuestKey(key) ? guestKeys : isReadable(key)) && expanded[key] !== '';
  const shown = sortedKeys(expanded).filter(isShown);
  const config = new Map(shown.map((key) => [key, expanded[key]!]));
  const users = collectUsers(config);
  if (users.length === 0) return { config, listed: listedOf(config), warnings: [] };
  const merged = merge(JSON.stringify([textsOf(config), users]));
  for (const [key, text] of merged.texts) config.set(key, text);
  return { config, listed: listedOf(config), warnings: merged.warnings };
}

function textsOf(config: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(DATA_KEYS.map((key) => [key, config.get(key) ?? '']));
}

function listedOf(config: ReadonlyMap<string, string>): string[] {
  return [...config.keys()].filter((key) => !key.startsWith(SSH_KEYS)).sort();
}

function isReadable(key: string): boolean {
  return key.startsWith('user.') || key.startsWith('cloud-init.');
}

type Users = readonly (readonly [user: string, keys: UserKeys])[];

/** Users in the order of their first key's name. Values without a user, such as `none`, are ignored. */
function collectUsers(config: ReadonlyMap<string, string>): Users {
  const users = new Map<string, { publicKeys: string[]; importIds: string[] }>();
  for (const [key, value] of config) {
    const [, user, rest] = /^([^:]+):(.+)$/s.exec(value) ?? [];
    if (!key.startsWith(SSH_KEYS) || user === undefined || rest === undefined) continue;
    const keys = users.get(user) ?? { publicKeys: [], importIds: [] };
    (rest.includes(' ') ? keys.publicKeys : keys.importIds).push(rest);
    users.set(user, keys);
  }
  return [...users];
}

/** The keys of each kind of data; cloud-init reads the second one only if the first is not set. */
const USER_DATA = ['cloud-init.user-data', 'user.user-data'] as const;
const VENDOR_DATA = ['cloud-init.vendor-data', 'user.vendor-data'] as const;
const DATA_KEYS = [...USER_DATA, ...VENDOR_DATA];

/** Results kept: instances of a profile have equal texts, and these change far less often than views. */
const MERGES_KEPT = 32;

interface Result {
  readonly texts: Map<string, string>;
  readonly warnings: string[];
}

/** Takes the JSON of the texts, by key, and of the users; returns the changed texts, by key. */
const merge = remembering((input) => {
  const [texts, users] = JSON.parse(input) as [Record<string, string>, Users];
  const result: Result = { texts: new Map(), warnings: [] };
  const vendor = readCloudConfig(effectiveText(texts, VENDOR_DATA));
  let inUserData = false;
  for (const key of keysToFill(texts, USER_DATA)) {
    const cloudConfig = readCloudConfig(texts[key] ?? '');
    if (!isLeftToVendor(cloudConfig, vendor))
      inUserData = mergeInto(key, cloudConfig, users, result) || inUserData;
  }
  // Vendor data is not made for keys that user data has already: `users` there replaces `users` here.
  const isSet = effectiveText(texts, VENDOR_DATA) !== '';
  if (!isSet && inUserData) return result;
  for (const key of keysToFill(texts, VENDOR_DATA)) {
    mergeInto(key, readCloudConfig(texts[key] ?? ''), users, result);
  }
  return result;
}, MERGES_KEPT);

function effectiveText(texts: Readonly<Record<string, string>>, keys: readonly [string, string]): string {
  return texts[keys[0]] || texts[keys[1]] || '';
}

/** The keys that are set, else the first: cloud-init warns if it finds both. */
function keysToFill(texts: Readonly<Record<string, string>>, keys: readonly [string, string]): string[] {
  const set = keys.filter((key) => texts[key]);
  return set.length > 0 ? set : [keys[0]];
}

/** In cloud-init, users in user data replace those in vendor data: adding some here would hide the latter. */
function isLeftToVendor(userData: CloudConfig | Problem, vendor: CloudConfig | Problem): boolean {
  if ('problem' in userData || 'problem' in vendor) return false;
  return vendor.hasUsers && !userData.hasUsers && !refusesVendorData(userData);
}

/** Whether user data tells cloud-init to ignore vendor data. */
function refusesVendorData({ mapping }: CloudConfig): boolean {
  const enabled = mapping.getIn(['vendor_data', 'enabled']);
  return typeof enabled === 'string' && !/^(true|1|on|yes)$/i.test(enabled);
}

/** @returns whether the ssh keys are in the text */
function mergeInto(key: string, cloudConfig: CloudConfig | Problem, users: Users, result: Result): boolean {
  const merged = 'problem' in cloudConfig ? cloudConfig : mergeUsers(cloudConfig, new Map(users));
  if ('problem' in merged) result.warnings.push(`${key}: ssh keys are not merged, ${merged.problem}`);
  else result.texts.set(key, merged.text);
  return 'text' in merged;
}
