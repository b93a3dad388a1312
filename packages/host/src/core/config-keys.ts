import { CodedError } from '../base/coded-error.ts';
import { findConfigKey } from './config-key-table.ts';
import type { Config } from './entities.ts';
import { isGuestKey } from './guest-keys.ts';
import { hostError } from './host-errors.ts';
import { ADOPT_MACHINES } from './machine-patterns.ts';
import { recordOf } from './records.ts';
import { checkText, hasControl } from './texts.ts';

/** Bytes of a key, so that it fits, percent-encoded, into one path segment of the guest API. */
export const CONFIG_KEY_BYTES_MAX = 255;
/** Bytes of a value: far more than clouds allow for user data (16 to 64 KiB). */
export const CONFIG_VALUE_BYTES_MAX = 1024 * 1024;
/** Keys of one instance or profile: the guest API lists all of them in one answer. */
export const CONFIG_KEYS_MAX = 4096;
/** Bytes of all keys and values: all are written again at each change and held in memory. */
export const CONFIG_BYTES_MAX = 8 * 1024 * 1024;

/** The owner of a config; a profile cannot have `guest.*`, `image.*` and `volatile.*` keys, an instance no `adopt.*`. */
export type ConfigOwner = 'instance' | 'profile';

/**
 * Checks a whole config, which may be any value. An empty value removes its key, so only the key is checked.
 * @throws bad-request with LXD's text, without a prefix such as `Invalid config: `
 */
export function checkConfig(config: Config, owner: ConfigOwner): void {
  if (typeof config !== 'object' || config === null)
    throw hostError('bad-request', 'Config is not a mapping');
  const entries: [string, unknown][] = Object.entries(config);
  if (entries.length > CONFIG_KEYS_MAX) {
    throw hostError('bad-request', `The maximum number of configuration keys is ${CONFIG_KEYS_MAX}`);
  }
  let bytes = 0;
  for (const [key, value] of entries) {
    bytes += checkEntry(key, value, owner);
    if (bytes > CONFIG_BYTES_MAX)
      throw hostError('bad-request', `The maximum config size is ${CONFIG_BYTES_MAX} bytes`);
  }
}

/** Whether an instance may have this key with this value. */
export function isConfigEntry(key: string, value: string): boolean {
  try {
    checkEntry(key, value, 'instance');
    return true;
  } catch (error) {
    if (error instanceof CodedError) return false;
    throw error;
  }
}

/** The config without keys that have an empty value: setting a key to it removes the key. */
export function withoutEmpty(config: Config): Config {
  return recordOf(Object.entries(config).filter(([, value]) => value !== ''));
}

/** Checks one key and its value. @returns the bytes of both */
function checkEntry(key: string, value: unknown, owner: ConfigOwner): number {
  const keyBytes = checkKey(key);
  if (typeof value !== 'string')
    throw hostError('bad-request', `Value of configuration key "${key}" is not a string`);
  checkText(value, `Value of configuration key "${key}"`);
  const valueBytes = Buffer.byteLength(value);
  if (valueBytes > CONFIG_VALUE_BYTES_MAX) {
    throw hostError(
      'bad-request',
      `The maximum size of configuration key "${key}" is ${CONFIG_VALUE_BYTES_MAX} bytes`,
    );
  }
  const found = findConfigKey(key);
  if (!found) throw hostError('bad-request', `Unknown configuration key: ${key}`);
  if (owner === 'profile') refuseOnProfile(key);
  else if (key === ADOPT_MACHINES)
    throw hostError('bad-request', `"${ADOPT_MACHINES}" can only be set on profiles`);
  const { row, name } = found;
  if (row.use === 'refused')
    throw hostError('bad-request', `Configuration key "${key}" is not supported by Porthole`);
  if (value !== '') row.check?.(value, name);
  return keyBytes + valueBytes;
}

function checkKey(key: string): number {
  const bytes = Buffer.byteLength(key);
  if (bytes > CONFIG_KEY_BYTES_MAX) {
    throw hostError('bad-request', `The maximum configuration key length is ${CONFIG_KEY_BYTES_MAX} bytes`);
  }
  if (hasControl(key) || !key.isWellFormed()) {
    throw hostError(
      'bad-request',
      `Configuration key ${JSON.stringify(key)} has control characters or is not valid UTF-8`,
    );
  }
  return bytes;
}

function refuseOnProfile(key: string): void {
  if (key.startsWith('image.')) throw hostError('bad-request', 'Image keys can only be set on instances');
  if (isGuestKey(key)) throw hostError('bad-request', 'Guest keys can only be set on instances');
  if (key.startsWith('volatile.'))
    throw hostError('bad-request', 'Volatile keys can only be set on instances');
}
