import { createHash } from 'node:crypto';
import { hostError } from '../core/errors.ts';
import type { Alias, Image, Instance, Profile } from '../core/model.ts';

/** ETag of an instance: what an operator edits, volatile keys included, and neither description nor times. */
export function instanceEtag(instance: Instance): string {
  const { architecture, config, devices, ephemeral, profiles } = instance;
  return hash([architecture, config, devices, ephemeral, profiles]);
}

/** ETag of a profile: all but its name. */
export function profileEtag({ config, description, devices }: Profile): string {
  return hash([config, description, devices]);
}

/** ETag of an image: what PUT may change most often; profiles and expiry are left out, as in LXD. */
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
 * Makes the check of an If-Match header; without one everything passes.
 * @returns a function that throws `precondition-failed` (412) for an object that the client has not seen
 */
export function preconditionOf<T>(ifMatch: string | undefined, etagOf: (value: T) => string) {
  return (current: T): void => {
    if (ifMatch === undefined || ifMatch.trim() === '') return;
    const sent = ifMatch.split(',').map(unquote);
    const etag = etagOf(current);
    if (sent.includes(etag) || sent.includes('*')) return;
    throw hostError('precondition-failed', etag, sent.join(', '));
  };
}

function unquote(tag: string): string {
  return tag.trim().replace(/^"(.*)"$/, '$1');
}

/** Equal values hash alike, whatever the order of their keys. */
function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortKeys)).digest('hex');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
