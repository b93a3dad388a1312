import { createHash } from 'node:crypto';
import type { Alias, Config, Image, Instance, Profile } from '../core/entities.ts';
import { guestKeysOf, withoutGuestKeys } from '../core/guest-keys.ts';
import { hostError } from '../core/host-errors.ts';
import type { InstanceCheck } from '../instances/requests.ts';

/**
 * ETag of an instance: a hash of what an operator edits, including volatile keys, but neither description nor
 * times. The keys that the instance itself writes have a separate hash, so that its changes and those of
 * operators can be told apart.
 */
export function instanceEtag({ architecture, config, devices, ephemeral, profiles }: Instance): string {
  const edited = hash([architecture, withoutGuestKeys(config), devices, ephemeral, profiles]);
  const guestPart = guestTag(config);
  return guestPart === '' ? edited : `${edited}-${guestPart}`;
}

const DASH = '-';

/** Empty when there are no such keys. */
function guestTag(config: Config): string {
  const keys = guestKeysOf(config);
  return Object.keys(keys).length === 0 ? '' : hash(keys);
}

/** Both parts of the tag of an instance. */
function partsOf(tag: string): { readonly edited: string; readonly guestPart: string } {
  const [edited = '', guestPart = ''] = tag.split(DASH);
  return { edited, guestPart };
}

/**
 * Makes the check of an If-Match header for a change of an instance. Keys that the instance has written since
 * do not stop the change, unless the change is about those keys.
 * @param given the config after the change
 */
export function instanceCheckOf(ifMatch: string | undefined, given: Config): InstanceCheck {
  const tags = tagsOf(ifMatch);
  return (current) => {
    const etag = instanceEtag(current);
    if (tags === undefined || tags.includes(etag) || tags.includes('*')) return 'given';
    const seen = tags.map(partsOf).filter(({ edited }) => edited === partsOf(etag).edited);
    // A client that sends these keys back as it has seen them does not mean to change them.
    if (seen.some(({ guestPart }) => guestPart === guestTag(given))) return 'current';
    throw hostError('precondition-failed', etag, tags.join(', '));
  };
}

/** The same for a PATCH, which names the keys that it changes. */
export function instancePatchCheckOf(ifMatch: string | undefined): (current: Instance) => void {
  const tags = tagsOf(ifMatch);
  return (current) => {
    const etag = instanceEtag(current);
    const { edited } = partsOf(etag);
    if (tags === undefined || tags.some((tag) => tag === '*' || partsOf(tag).edited === edited)) return;
    throw hostError('precondition-failed', etag, tags.join(', '));
  };
}

/** ETag of a profile: all but its name. */
export function profileEtag({ config, description, devices }: Profile): string {
  return hash([config, description, devices]);
}

/** ETag of an image: the fields that PUT may change, except profiles and expiry, as in LXD. */
export function imageEtag({ public: isPublic, autoUpdate, properties }: Image): string {
  return hash([isPublic, autoUpdate, properties]);
}

/** ETag of an image alias. */
export function aliasEtag({ target, description }: Alias): string {
  return hash([target, description]);
}

/** ETag of the server's own config, which has no keys. */
export function serverEtag(): string {
  return hash([{}]);
}

/**
 * Makes the check of an If-Match header; without a header every object passes.
 * @returns a function that throws `precondition-failed` (412) for an object that has changed since the client
 *   saw it
 */
export function preconditionOf<T>(ifMatch: string | undefined, etagOf: (value: T) => string) {
  const tags = tagsOf(ifMatch);
  return (current: T): void => {
    const etag = etagOf(current);
    if (tags === undefined || tags.includes(etag) || tags.includes('*')) return;
    throw hostError('precondition-failed', etag, tags.join(', '));
  };
}

/**
 * Makes a check for a request that changes parts of an object and was completed from the object as it was: the change
 * of another client must not be undone.
 * @throws changed-meanwhile, beside what `check` throws
 */
export function stillSame<T>(seen: T, check: (current: T) => void): (current: T) => void {
  return (current) => {
    check(current);
    if (current !== seen) throw hostError('changed-meanwhile', 'The object');
  };
}

/** The tags of an If-Match header; undefined when there is none. */
function tagsOf(ifMatch: string | undefined): string[] | undefined {
  return ifMatch === undefined || ifMatch.trim() === '' ? undefined : ifMatch.split(',').map(unquote);
}

function unquote(tag: string): string {
  return tag.trim().replace(/^"(.*)"$/, '$1');
}

/** Equal values have equal hashes, also if their keys have another order. */
function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortKeys)).digest('hex');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
