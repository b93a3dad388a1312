import {
  type Alias,
  type ImageFiles,
  type ImageTemplate,
  type Profile,
  TEMPLATE_TRIGGERS,
} from '../../core/entities.ts';
import type { Member, SharedChange, SharedImage, SharedInstance } from '../../core/shared.ts';
import { runOf } from './fence.ts';
import type { FleetKey, ObjectFolder } from './fleet-keys.ts';
import {
  count,
  fieldsOf,
  flag,
  listOf,
  mapTo,
  oneOf,
  orNull,
  type Reader,
  text,
  Unreadable,
} from './readers.ts';

// The records of the fleet, as JSON. A record does not repeat what its key says. This is form 1: every member must be
// able to read what another writes.

const config = mapTo(text);
const devices = mapTo(config);

const profile = fieldsOf<Omit<Profile, 'name'>>({ description: text, config, devices });

const instance = fieldsOf<Omit<SharedInstance, 'name'>>({
  id: count,
  architecture: text,
  description: text,
  ephemeral: flag,
  profiles: listOf(text),
  config,
  devices,
  createdAt: text,
  member: text,
});

const alias = fieldsOf<Omit<Alias, 'name'>>({ target: text, description: text });

const member = fieldsOf<Omit<Member, 'name'>>({
  address: text,
  fingerprint: text,
  version: text,
  api: count,
  architecture: text,
  joinedAt: text,
  state: oneOf('joining', 'joined', 'leaving'),
});

const template = fieldsOf<ImageTemplate>({
  path: text,
  file: text,
  when: listOf(oneOf(...TEMPLATE_TRIGGERS)),
  createOnly: flag,
  properties: config,
  text,
  unsupported: orNull(text),
});

const files: Reader<ImageFiles> = (value, where) =>
  fieldsOf<{ kind: ImageFiles['kind'] }>({ kind: oneOf('unified', 'split') })(value, where).kind === 'unified'
    ? fieldsOf<Extract<ImageFiles, { kind: 'unified' }>>({ kind: oneOf('unified'), extension: text })(
        value,
        where,
      )
    : fieldsOf<Extract<ImageFiles, { kind: 'split' }>>({
        kind: oneOf('split'),
        metadataExtension: text,
        rootfsExtension: text,
      })(value, where);

const imageFields = fieldsOf<Omit<SharedImage, 'fingerprint' | 'templates'>>({
  architecture: text,
  size: count,
  filename: text,
  public: flag,
  cached: flag,
  autoUpdate: flag,
  properties: config,
  profiles: listOf(text),
  createdAt: text,
  uploadedAt: text,
  expiresAt: text,
  files,
});

const image: Reader<Omit<SharedImage, 'fingerprint'>> = (value, where) => {
  const fields = imageFields(value, where);
  const { templates } = value as { templates?: unknown };
  return templates === undefined
    ? fields
    : { ...fields, templates: listOf(template)(templates, 'templates') };
};

/** The value of an object's key; null if the change deletes it. */
export function encodeRecord(change: SharedChange): string | null {
  switch (change.kind) {
    case 'put-profile':
      return withoutKey(change.profile, 'name');
    case 'put-instance':
      return withoutKey(change.instance, 'name');
    case 'put-image':
      return withoutKey(change.image, 'fingerprint');
    case 'put-alias':
      return withoutKey(change.alias, 'name');
    case 'put-member':
      return withoutKey(change.member, 'name');
    case 'put-holder':
      return '{}';
    default:
      return null;
  }
}

function withoutKey(object: object, key: string): string {
  const { [key]: _, ...rest } = object as Record<string, unknown>;
  return JSON.stringify(rest);
}

const PUT: { readonly [F in ObjectFolder]: (name: string, value: unknown) => SharedChange } = {
  profiles: (name, value) => ({ kind: 'put-profile', profile: { name, ...profile(value, '') } }),
  instances: (name, value) => ({ kind: 'put-instance', instance: { name, ...instance(value, '') } }),
  images: (name, value) => ({ kind: 'put-image', image: { fingerprint: name, ...image(value, '') } }),
  aliases: (name, value) => ({ kind: 'put-alias', alias: { name, ...alias(value, '') } }),
  members: (name, value) => ({ kind: 'put-member', member: { name, ...member(value, '') } }),
  alive: (member, value) => ({ kind: 'put-alive', member, run: runOf(text(value, '')) }),
  holders: (name) => ({ kind: 'put-holder', ...holderOf(name) }),
};

const DELETE: { readonly [F in ObjectFolder]: (name: string) => SharedChange } = {
  profiles: (name) => ({ kind: 'delete-profile', name }),
  instances: (name) => ({ kind: 'delete-instance', name }),
  images: (name) => ({ kind: 'delete-image', fingerprint: name }),
  aliases: (name) => ({ kind: 'delete-alias', name }),
  members: (name) => ({ kind: 'delete-member', name }),
  alive: (member) => ({ kind: 'delete-alive', member }),
  holders: (name) => ({ kind: 'delete-holder', ...holderOf(name) }),
};

/**
 * What has happened to an object; null if the key is none of an object.
 * @param value the key's new value; null if it was deleted
 * @throws Unreadable
 */
export function decodeRecord({ folder, name }: FleetKey, value: string | null): SharedChange | null {
  if (!Object.hasOwn(PUT, folder)) return null;
  if (value === null) return DELETE[folder as ObjectFolder](name);
  return PUT[folder as ObjectFolder](name, folder === 'alive' ? value : parse(value));
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new Unreadable('it is not JSON');
  }
}

function holderOf(name: string): { fingerprint: string; member: string } {
  const slash = name.indexOf('/');
  if (slash <= 0) throw new Unreadable('its key names no member');
  return { fingerprint: name.slice(0, slash), member: name.slice(slash + 1) };
}
