import { hostError } from './host-errors.ts';

/** A rule for one value. It throws a CodedError that says what is wrong with the value. */
export type Check = (value: string) => void;

/** Whether a text has an ASCII control character, such as a line break. */
export function hasControl(text: string): boolean {
  return /[\x00-\x1f\x7f]/.test(text);
}

/** @throws bad-request for a text with a NUL or a lone surrogate: a C string or UTF-8 cannot hold them */
export function checkText(text: string, what: string): void {
  if (text.includes('\0')) throw hostError('bad-request', `${what} has a NUL character`);
  if (!text.isWellFormed()) throw hostError('bad-request', `${what} is not valid UTF-8`);
}

/** A value of one line. */
export const checkLine: Check = (value) => {
  if (hasControl(value))
    throw hostError('bad-request', 'Value may not contain line breaks or control characters');
};

/** A decimal integer from `min` to `max`. */
export function integer(min: number, max: number): Check {
  return (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw hostError(
        'bad-request',
        `Invalid value for an integer "${value}", must be between ${min} and ${max}`,
      );
    }
  };
}

export function oneOf(...words: readonly string[]): Check {
  return (value) => {
    if (!words.includes(value)) {
      throw hostError('bad-request', `Invalid value "${value}" (not one of ${words.join(', ')})`);
    }
  };
}

/** A text of a given form; `what` completes "Invalid value ..., must be". */
export function matching(pattern: RegExp, what: string): Check {
  return (value) => {
    if (!pattern.test(value)) throw hostError('bad-request', `Invalid value "${value}", must be ${what}`);
  };
}

/** The longest name of a network interface, linux/if.h: IFNAMSIZ without the NUL. */
const INTERFACE_NAME_MAX = 15;

/** A name that the kernel accepts for a network interface. */
export const checkInterfaceName: Check = (value) => {
  const good =
    /^[!-~]+$/.test(value) &&
    !/[/:]/.test(value) &&
    value !== '.' &&
    value !== '..' &&
    value.length <= INTERFACE_NAME_MAX;
  if (!good) {
    const rule = `must be 1-${INTERFACE_NAME_MAX} printable ASCII characters without "/", ":" and spaces`;
    throw hostError('bad-request', `Invalid interface name "${value}", ${rule}`);
  }
};

/** The Ethernet address of one interface (not of a group), in LXD's notation. */
export const checkHwaddr: Check = (value) => {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value)) {
    throw hostError('bad-request', 'Invalid MAC address, must be 6 bytes of hex separated by colons');
  }
  const isGroup = (Number.parseInt(value.slice(0, 2), 16) & 1) === 1;
  if (isGroup || /^[0:]+$/.test(value)) {
    throw hostError('bad-request', 'Invalid MAC address, must be the address of one interface');
  }
};
