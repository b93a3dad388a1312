import type { Row } from './row.ts';

const P1 = 'PUT /1.0/profiles/p1';

/** Requests on profiles that are refused, where `c1` has `default` and `p1`. */
export const PROFILES: readonly Row[] = [
  ['without a name', 'POST /1.0/profiles', {}, 400, 'No name provided'],
  ['with a slash', 'POST /1.0/profiles', { name: 'a/b' }, 400, 'Profile names may not contain slashes'],
  ['with the name ..', 'POST /1.0/profiles', { name: '..' }, 400, 'Invalid profile name ".."'],
  [
    'a second time',
    'POST /1.0/profiles',
    { name: 'p1' },
    409,
    'Error inserting "p1" into database: The profile already exists',
  ],
  [
    'with an unknown key',
    'POST /1.0/profiles',
    { name: 'p2', config: { 'a.b': '1' } },
    400,
    'Unknown configuration key: a.b',
  ],
  ['with an unknown key, changed', P1, { config: { 'a.b': '1' } }, 400, 'Unknown configuration key: a.b'],
  [
    'with a volatile key',
    P1,
    { config: { 'volatile.uuid': 'x' } },
    400,
    'Volatile keys can only be set on instances',
  ],
  [
    'with an unknown type of device',
    P1,
    { devices: { d: { type: 'tape' } } },
    400,
    'Failed loading device "d": Unsupported device type',
  ],
  [
    'that removes the root disk of its instances',
    'PUT /1.0/profiles/default',
    { devices: {} },
    400,
    'Invalid expanded devices: Failed detecting root disk device: No root device could be found (instance c1)',
  ],
  ['that is used, to be deleted', 'DELETE /1.0/profiles/p1', '', 400, 'Profile is currently in use'],
  [
    'that is the default, to be deleted',
    'DELETE /1.0/profiles/default',
    '',
    403,
    'The "default" profile cannot be deleted',
  ],
  [
    'that is the default, to be renamed',
    'POST /1.0/profiles/default',
    { name: 'p2' },
    403,
    'The "default" profile cannot be renamed',
  ],
  ['that does not exist', 'GET /1.0/profiles/none', '', 404, 'Profile not found'],
  ['that does not exist, changed', 'PUT /1.0/profiles/none', {}, 404, 'Profile not found'],
];

const ALIASES = 'POST /1.0/images/aliases';

/** Requests on images and aliases that are refused. */
export const IMAGES: readonly Row[] = [
  ['of an unknown fingerprint', 'GET /1.0/images/ffff', '', 404, 'Image not found'],
  ['of a path', 'GET /1.0/images/..%2f..%2fetc', '', 404, 'Image not found'],
  [
    'with properties that are not texts',
    'PUT /1.0/images/FP',
    { properties: { a: 1 } },
    400,
    'properties.a: Invalid input: expected string, received number',
  ],
  [
    'made of a URL',
    'POST /1.0/images',
    { source: { type: 'url' } },
    400,
    'Images are made from uploads only, not from other images, URLs or instances',
  ],
  ['an alias without a name', ALIASES, { target: 'x' }, 400, 'name and target are required'],
  ['an alias of an unknown image', ALIASES, { name: 'a', target: 'ffff' }, 404, 'Image not found'],
  ['an unknown alias', 'GET /1.0/images/aliases/none', '', 404, 'Image alias not found'],
  ['an unknown alias, deleted', 'DELETE /1.0/images/aliases/none', '', 404, 'Image alias not found'],
  ['an unknown image, exported', 'GET /1.0/images/ffff/export', '', 404, 'Image not found'],
];
