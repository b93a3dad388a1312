import { invalidName, type Row } from './row.ts';

const NEW = 'POST /1.0/instances';
const source = { type: 'image', alias: 'busybox' };
const name = 'new';
const FAILED = 'Failed creating instance record: ';

/** New instances that are refused, where the instance `c1` and the profile `p1` exist. */
export const NEW_INSTANCES: readonly Row[] = [
  [
    'a name with a dot',
    NEW,
    { name: 'a.b', source },
    400,
    invalidName('can only contain alphanumeric and hyphen characters'),
  ],
  [
    'a name with ..',
    NEW,
    { name: '../x', source },
    400,
    invalidName('can only contain alphanumeric and hyphen characters'),
  ],
  [
    'a name that starts with a digit',
    NEW,
    { name: '1a', source },
    400,
    invalidName('must not start with a number'),
  ],
  [
    'a name that starts with a hyphen',
    NEW,
    { name: '-a', source },
    400,
    invalidName('must not start with "-" character'),
  ],
  [
    'a name that ends with a hyphen',
    NEW,
    { name: 'a-', source },
    400,
    invalidName('must not end with "-" character'),
  ],
  ['a long name', NEW, { name: 'a'.repeat(64), source }, 400, invalidName('must be 1-63 characters long')],
  ['a name with a NUL', NEW, { name: 'a\0b', source }, 400, 'name: must not contain a NUL byte'],
  [
    'a name that is taken',
    NEW,
    { name: 'c1', source },
    400,
    `${FAILED}Add instance info to the database: This "instances" entry already exists`,
  ],
  ['a source of an unknown type', NEW, { name, source: { type: 'tape' } }, 400, 'Unknown source type tape'],
  ['no source', NEW, { name }, 400, 'Unknown source type '],
  ['an unknown alias', NEW, { name, source: { type: 'image', alias: 'x' } }, 404, 'Image alias not found'],
  ['an unknown image', NEW, { name, source: { type: 'image', fingerprint: 'ffff' } }, 404, 'Image not found'],
  [
    'a virtual machine',
    NEW,
    { name, source, type: 'virtual-machine' },
    400,
    'Instance type not supported: virtual-machine',
  ],
  [
    'an unknown profile',
    NEW,
    { name, source, profiles: ['none'] },
    400,
    'Requested profile "none" doesn\'t exist',
  ],
  [
    'a profile twice',
    NEW,
    { name, source, profiles: ['p1', 'default', 'p1'] },
    400,
    `${FAILED}Duplicate profile found in request`,
  ],
  [
    'an unknown key',
    NEW,
    { name, source, config: { 'no.such': '1' } },
    400,
    `${FAILED}Unknown configuration key: no.such`,
  ],
  [
    'an unknown type of device',
    NEW,
    { name, source, devices: { d: { type: 'tape' } } },
    400,
    `${FAILED}Failed loading device "d": Unsupported device type`,
  ],
  [
    'a device without a type',
    NEW,
    { name, source, devices: { d: {} } },
    400,
    `${FAILED}Failed loading device "d": Missing device type in config`,
  ],
  [
    'no root disk',
    NEW,
    { name, source, profiles: [] },
    400,
    `${FAILED}Failed initialising instance: Failed getting root disk: No root device could be found`,
  ],
];
