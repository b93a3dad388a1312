import { readCloudConfig } from './cloud-config.ts';
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
 * The keys that an instance may read, with `cloud-init.ssh-keys.*` merged into user data and vendor data as
 * in LXD. Without ssh keys, every value is exactly as it was set.
 * @param expanded the instance's expanded config
 */
export function mergedConfig(expanded: Config): MergedConfig {
  const guestKeys = hasGuestKeys(expanded);
  const isShown = (key: string) => (isGuestKey(key) ? guestKeys : isReadable(key)) && expanded[key] !== '';
  const shown = sortedKeys(expanded).filter(isShown);
  const config = new Map(shown.map((key) => [key, expanded[key]!]));
  const users = collectUsers(config);
  if (users.length === 0) return { config, listed: listedOf(config), warnings: [] };
  const merged = merge(JSON.stringify([DATA_KEYS.map((key) => config.get(key) ?? ''), users]));
  for (const [key, text] of merged.texts) config.set(key, text);
  return { config, listed: listedOf(config), warnings: merged.warnings };
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

const DATA_KEYS = ['cloud-init.user-data', 'user.user-data', 'cloud-init.vendor-data', 'user.vendor-data'];

/** Results kept: instances of a profile have equal texts, and these change far less often than views. */
const MERGES_KEPT = 32;

/** Takes the JSON of the texts of {@link DATA_KEYS} and the users; returns the changed texts, by key. */
const merge = remembering((input) => {
  const [texts, users] = JSON.parse(input) as [string[], Users];
  const [vendorData, olderVendorData] = texts.slice(2);
  const vendor = readCloudConfig(vendorData || olderVendorData || '');
  const merged = new Map<string, string>();
  const warnings: string[] = [];
  for (const [index, key] of DATA_KEYS.entries()) {
    const cloudConfig = readCloudConfig(texts[index] ?? '');
    // In cloud-init, users in user data replace those in vendor data: adding some here would hide the latter.
    const isLeftToVendor = key.endsWith('.user-data') && !cloudConfig?.hasUsers && vendor?.hasUsers;
    if (cloudConfig && isLeftToVendor) continue;
    const result = cloudConfig
      ? mergeUsers(cloudConfig, new Map(users))
      : { problem: 'it is no cloud-config mapping' };
    if ('problem' in result) warnings.push(`${key}: ssh keys are not merged, ${result.problem}`);
    else merged.set(key, result.text);
  }
  return { texts: merged, warnings };
}, MERGES_KEPT);
