import type { Alias, Profile } from '../../core/entities.ts';
import type { Member, SharedChange, SharedImage, SharedInstance } from '../../core/shared.ts';
import type { SharedKind } from '../shared-state.ts';
import type { ObjectKey } from '../shared-store.ts';

/** The fingerprint of the image of all aliases. */
export const ALIASED = 'f'.repeat(64);

/** The objects that commits change. */
export type CommittedKind = Exclude<SharedKind, 'alive'>;

const AT = '2026-01-01T00:00:00.000Z';

export function sampleProfile(name: string, value = ''): Profile {
  return {
    name,
    description: 'two\nlines, ü',
    config: { 'user.value': value, 'user.__proto__': 'x' },
    devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  };
}

export function sampleInstance(name: string, member = 'a', value = ''): SharedInstance {
  return {
    id: idOf(name),
    name,
    architecture: 'x86_64',
    description: '',
    ephemeral: false,
    profiles: ['default', 'web'],
    config: { 'user.value': value, 'image.os': 'x' },
    devices: { eth0: { type: 'nic', network: 'lxcbr0' } },
    createdAt: AT,
    member,
  };
}

/** A number for each name, as the ids of a host. */
function idOf(name: string): number {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_003, 1);
}

export function sampleImage(fingerprint: string, filename = 'i.tar.gz'): SharedImage {
  return {
    fingerprint,
    architecture: 'x86_64',
    size: 10,
    filename,
    public: false,
    cached: false,
    autoUpdate: false,
    properties: { os: 'x' },
    profiles: ['default'],
    createdAt: AT,
    uploadedAt: AT,
    expiresAt: AT,
    files: { kind: 'split', metadataExtension: '.tar.gz', rootfsExtension: '.squashfs' },
    templates: [
      {
        path: '/etc/hostname',
        file: 'hostname.tpl',
        when: ['create', 'start'],
        createOnly: true,
        properties: { a: 'b' },
        text: '{{ container.name }}',
        unsupported: null,
      },
    ],
  };
}

function sampleAlias(name: string, target: string, description = ''): Alias {
  return { name, target, description };
}

export function sampleMember(name: string, address = '192.0.2.1:8443'): Member {
  return {
    name,
    address,
    fingerprint: 'f'.repeat(64),
    version: '1.0.0',
    api: 1,
    architecture: 'x86_64',
    joinedAt: AT,
    state: 'joined',
  };
}

/** How one object of a kind is put with a value, and deleted. */
export interface Sample {
  put(name: string, value: string): SharedChange;
  drop(name: string): SharedChange;
}

/** A name of the form that the kind has. */
export const nameOf = (kind: CommittedKind, number: number): string => {
  if (kind === 'image') return String(number).padStart(64, '0');
  if (kind === 'holder') return `${String(number).padStart(64, '0')}/a`;
  return kind === 'alias' ? `debian/${number}/cloud` : `${kind}${number}`;
};

const split = (name: string) => {
  const [fingerprint = '', member = ''] = name.split('/');
  return { fingerprint, member };
};

export const SAMPLES: { readonly [K in CommittedKind]: Sample } = {
  profile: {
    put: (name, value) => ({ kind: 'put-profile', profile: sampleProfile(name, value) }),
    drop: (name) => ({ kind: 'delete-profile', name }),
  },
  instance: {
    put: (name, value) => ({ kind: 'put-instance', instance: sampleInstance(name, 'a', value) }),
    drop: (name) => ({ kind: 'delete-instance', name }),
  },
  image: {
    put: (name, value) => ({ kind: 'put-image', image: sampleImage(name, value) }),
    drop: (name) => ({ kind: 'delete-image', fingerprint: name }),
  },
  alias: {
    put: (name, value) => ({ kind: 'put-alias', alias: sampleAlias(name, ALIASED, value) }),
    drop: (name) => ({ kind: 'delete-alias', name }),
  },
  member: {
    put: (name, value) => ({ kind: 'put-member', member: sampleMember(name, `${value}:1`) }),
    drop: (name) => ({ kind: 'delete-member', name }),
  },
  holder: {
    put: (name) => ({ kind: 'put-holder', ...split(name) }),
    drop: (name) => ({ kind: 'delete-holder', ...split(name) }),
  },
};

export const profileKey = (name: string): ObjectKey => ({ kind: 'profile', name });
export const imageKey = (name: string): ObjectKey => ({ kind: 'image', name });
