import { isTrue } from './booleans.ts';
import type { Config } from './entities.ts';
import { hostError } from './host-errors.ts';
import { own, recordOf } from './records.ts';

/** The most keys that one instance may write: they are for facts about itself, not for storing data. */
export const GUEST_KEYS_MAX = 64;
/** Bytes of a guest key, prefix included. */
export const GUEST_KEY_BYTES_MAX = 128;
/** Bytes of a value; each change is also an event, with the old value and the new one. */
export const GUEST_VALUE_BYTES_MAX = 4096;

const PREFIX = 'guest.';
/** Only characters that a terminal, a shell and an operator cannot take for something else. */
const FORM = /^guest\.[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** All control characters but tab and line feed. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** Whether a key is one of those that the instance itself writes. */
export function isGuestKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** Whether a key has the form of a guest key. */
export function isGuestKeyName(key: string): boolean {
  return FORM.test(key) && key.length <= GUEST_KEY_BYTES_MAX;
}

/** Whether a text may be the value of a guest key; its length is not checked. */
export function isGuestText(value: string): boolean {
  return value !== '' && value.isWellFormed() && !CONTROL.test(value);
}

/** Whether an instance may have guest keys. @param expanded its expanded config */
export function hasGuestKeys(expanded: Config): boolean {
  return isTrue(own(expanded, 'security.devlxd.guest_config'), false);
}

/** Checks a guest key that an operator sets, by the rules for the instance. @throws bad-request */
export function checkGuestKey(value: string, name: string): void {
  if (!isGuestKeyName(PREFIX + name)) {
    const rule = `"${PREFIX}", then letters, digits, ".", "_" and "-", ${GUEST_KEY_BYTES_MAX} at most`;
    throw hostError('bad-request', `Invalid guest key name "${name}", must be ${rule}`);
  }
  if (!isGuestText(value) || Buffer.byteLength(value) > GUEST_VALUE_BYTES_MAX) {
    const rule = `text without control characters, ${GUEST_VALUE_BYTES_MAX} bytes at most`;
    throw hostError('bad-request', `Invalid value of "${PREFIX}${name}", must be ${rule}`);
  }
}

/** The part of a config that the instance writes. */
export function guestKeysOf(config: Config): Config {
  return recordOf(Object.entries(config).filter(([key]) => isGuestKey(key)));
}

/** The part of a config that the operator writes. */
export function withoutGuestKeys(config: Config): Config {
  return recordOf(Object.entries(config).filter(([key]) => !isGuestKey(key)));
}

/** `config` with its guest keys replaced by those of `other`. */
export function withGuestKeysOf(config: Config, other: Config): Config {
  return recordOf(
    [config, other].flatMap((each, index) =>
      Object.entries(each).filter(([key]) => isGuestKey(key) === (index === 1)),
    ),
  );
}

/** `next` with the guest keys that differ between `before` and `now`: the instance has written them. */
export function withGuestWrites(next: Config, before: Config, now: Config): Config {
  const keys = new Set([...Object.keys(before), ...Object.keys(now)].filter(isGuestKey));
  const written = [...keys].filter((key) => own(before, key) !== own(now, key));
  const kept = Object.entries(next).filter(([key]) => !written.includes(key));
  const added = Object.entries(now).filter(([key]) => written.includes(key));
  return recordOf([...kept, ...added]);
}
