import { isUtf8 } from 'node:buffer';
import {
  GUEST_KEYS_MAX,
  GUEST_VALUE_BYTES_MAX,
  isGuestKey,
  isGuestKeyName,
  isGuestText,
} from '../core/guest-keys.ts';
import type { GuestView } from '../core/view.ts';
import { type GuestReply, type Handler, type RefuseReply, refuse } from './reply.ts';

/** Also the answer to a write that changes nothing. */
const DONE: GuestReply = { kind: 'raw', value: '' };

/** `PUT /1.0/config/{key}`: the body is the new value of one of the instance's own keys. */
export const putKey: Handler = (view, { body, variable: key }) => {
  const refusal = refuseKey(view, key);
  if (refusal !== undefined) return refusal;
  if (!isGuestKeyName(key)) return refuse('invalid-key');
  if (body.length > GUEST_VALUE_BYTES_MAX) return refuse('value-too-large', String(GUEST_VALUE_BYTES_MAX));
  const value = body.toString();
  if (!isUtf8(body) || !isGuestText(value)) return refuse('invalid-value');
  const current = view.config.get(key);
  if (current === value) return DONE;
  const count = [...view.config.keys()].filter(isGuestKey).length;
  if (current === undefined && count >= GUEST_KEYS_MAX)
    return refuse('too-many-keys', String(GUEST_KEYS_MAX));
  return { kind: 'write-key', key, value };
};

/** `DELETE /1.0/config/{key}` */
export const deleteKey: Handler = (view, { variable: key }) => {
  const refusal = refuseKey(view, key);
  if (refusal !== undefined) return refusal;
  return view.config.has(key) ? { kind: 'write-key', key, value: null } : refuse('not-found');
};

/** All other keys belong to the operator: for them these methods do not exist, as with LXD. */
function refuseKey(view: GuestView, key: string): RefuseReply | undefined {
  if (!isGuestKey(key)) return refuse('not-implemented');
  return view.allowsGuestConfig ? undefined : refuse('forbidden');
}
