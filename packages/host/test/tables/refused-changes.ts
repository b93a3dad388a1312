import { hostArchitecture } from '../../src/images/architectures.ts';
import { invalidName, type Row } from './row.ts';

const MIB = 1024 * 1024;
const PUT = 'PUT /1.0/instances/c1';
const PATCH = 'PATCH /1.0/instances/c1';
const ROOT = { type: 'disk', path: '/', pool: 'default' };
const ARCHITECTURE = hostArchitecture();
const INVALID = 'Device validation failed for "d": ';
const instance = (more: object) => ({ profiles: ['default', 'p1'], config: { 'user.a': 'own' }, ...more });
const config = (key: string, value: string) => instance({ config: { [key]: value } });
const devices = (device: object, name = 'd') => instance({ devices: { [name]: device } });

/** Changes that are refused, where `c1` runs and `c2` does not. */
export const CHANGED_INSTANCES: readonly Row[] = [
  [
    'an unknown key',
    PUT,
    config('limits.nothing', '1'),
    400,
    'Invalid config: Unknown configuration key: limits.nothing',
  ],
  [
    'an unknown key, merged',
    PATCH,
    { config: { 'usr.a': '1' } },
    400,
    'Invalid config: Unknown configuration key: usr.a',
  ],
  [
    'a key that cannot be honoured',
    PUT,
    config('raw.seccomp', 'x'),
    400,
    'Invalid config: Configuration key "raw.seccomp" is not supported by Porthole',
  ],
  [
    'a key with a line break',
    PUT,
    config('user.a\nb', 'x'),
    400,
    'Invalid config: Configuration key "user.a\\nb" has control characters or is not valid UTF-8',
  ],
  [
    'a long key',
    PUT,
    config(`user.${'k'.repeat(251)}`, 'x'),
    400,
    'Invalid config: The maximum configuration key length is 255 bytes',
  ],
  [
    'a long value',
    PUT,
    config('user.a', 'v'.repeat(MIB + 1)),
    400,
    `Invalid config: The maximum size of configuration key "user.a" is ${MIB} bytes`,
  ],
  ['a value with a NUL', PUT, config('user.a', 'a\0b'), 400, 'config.user.a: must not contain a NUL byte'],
  [
    'a value that is a number',
    PUT,
    instance({ config: { 'user.a': 1 } }),
    400,
    'config.user.a: Invalid input: expected string, received number',
  ],
  [
    'a value that is half a character',
    PUT,
    '{"config":{"user.a":"\\ud800"}}',
    400,
    'Invalid config: Value of configuration key "user.a" is not valid UTF-8',
  ],
  [
    'a config that is a list',
    PUT,
    instance({ config: ['user.a'] }),
    400,
    'config: Invalid input: expected record, received array',
  ],
  [
    'too many keys',
    PUT,
    instance({ config: Object.fromEntries(Array.from({ length: 4097 }, (_, at) => [`user.${at}`, 'x'])) }),
    400,
    'Invalid config: The maximum number of configuration keys is 4096',
  ],
  [
    'an invalid memory limit',
    PUT,
    config('limits.memory', 'much'),
    400,
    'Invalid config: Invalid size "much"',
  ],
  [
    'an invalid boolean',
    PUT,
    config('security.devlxd', 'maybe'),
    400,
    'Invalid config: Invalid value for a boolean "maybe"',
  ],
  [
    'an invalid number',
    PUT,
    config('limits.processes', '-1'),
    400,
    'Invalid config: Invalid value for an integer "-1", must be between 1 and 4194304',
  ],
  [
    'raw.lxc that undoes the isolation',
    PUT,
    config('raw.lxc', 'lxc.idmap = u 0 0 65536'),
    400,
    'Invalid config: Setting lxc.idmap through raw.lxc is not allowed: line 1, "lxc.idmap = u 0 0 65536"',
  ],
  [
    'raw.lxc that clears all hooks',
    PUT,
    config('raw.lxc', 'lxc.cap.drop = sys_time\nlxc.hook ='),
    400,
    'Invalid config: Setting lxc.hook through raw.lxc is not allowed: line 2, "lxc.hook ="',
  ],
  [
    'raw.lxc that clears the mounts',
    PUT,
    config('raw.lxc', 'lxc.mount.entry = ""'),
    400,
    'Invalid config: Clearing lxc.mount.entry through raw.lxc is not allowed: line 1, "lxc.mount.entry = \\"\\""',
  ],
  [
    'network-config that is not YAML',
    PUT,
    config('cloud-init.network-config', 'a: [b'),
    400,
    'Invalid config: network-config is not valid YAML',
  ],
  ['an unknown profile', PUT, instance({ profiles: ['default', 'none'] }), 400, 'Profile not found'],
  [
    'a profile twice',
    PUT,
    instance({ profiles: ['default', 'default'] }),
    400,
    'Duplicate profile found in request',
  ],
  [
    'no root disk',
    PUT,
    instance({ profiles: [] }),
    400,
    'Invalid expanded devices: Failed detecting root disk device: No root device could be found',
  ],
  [
    'an unknown type of device',
    PUT,
    devices({ type: 'tape' }),
    400,
    'Invalid devices: Failed loading device "d": Unsupported device type',
  ],
  [
    'an unknown type of nic',
    PUT,
    devices({ type: 'nic', nictype: 'sriov' }),
    400,
    'Invalid devices: Failed loading device "d": Unsupported device type',
  ],
  [
    'an unknown option',
    PUT,
    devices({ ...ROOT, path: '/x', source: '/tmp', speed: '9' }),
    400,
    `Invalid devices: ${INVALID}Invalid device option "speed"`,
  ],
  [
    'a disk without a path',
    PUT,
    devices({ type: 'disk', source: '/tmp' }),
    400,
    `Invalid devices: ${INVALID}Disk entry is missing the required "source" or "path" property`,
  ],
  [
    'a second root',
    PUT,
    devices({ type: 'disk', path: '//', source: '/tmp' }),
    400,
    `Invalid devices: ${INVALID}The path of a root disk must be written as "/"`,
  ],
  [
    'a source that does not exist',
    PUT,
    devices({ type: 'disk', path: '/mnt', source: '/no/such' }),
    400,
    'Failed add validation for device "d": Missing source path "/no/such" for disk "d"',
  ],
  [
    'a device name with a blank',
    PUT,
    devices({ type: 'none' }, 'a b'),
    400,
    'Invalid devices: Device validation failed for "a b": Name can only contain alphanumeric, forward slash, hyphen, colon, underscore and full stop characters',
  ],
  [
    'an empty option that the type does not have',
    PATCH,
    { devices: { d: { type: 'none', nothing: '' } } },
    400,
    `Invalid devices: ${INVALID}Invalid device option "nothing"`,
  ],
  [
    'another architecture',
    PUT,
    instance({ architecture: 'riscv64' }),
    400,
    `The architecture of an instance cannot change: it is ${ARCHITECTURE}`,
  ],
  [
    'another architecture, merged',
    PATCH,
    { architecture: 'riscv64' },
    400,
    `The architecture of an instance cannot change: it is ${ARCHITECTURE}`,
  ],
  ['a stateful instance', PATCH, { stateful: true }, 400, 'Stateful instances are not supported'],
  [
    'a stateful instance, replaced',
    PUT,
    instance({ stateful: true }),
    400,
    'Stateful instances are not supported',
  ],
  [
    'a long device name',
    PUT,
    devices({ type: 'none' }, 'd'.repeat(65)),
    400,
    'Invalid devices: The maximum device name length is 64 characters',
  ],
  [
    'a device that is a text',
    PUT,
    instance({ devices: { d: 'disk' } }),
    400,
    'devices.d: Invalid input: expected record, received string',
  ],
  [
    'a boolean that is a text',
    PUT,
    instance({ ephemeral: 'yes' }),
    400,
    'ephemeral: Invalid input: expected boolean, received string',
  ],
  ['an unknown instance', 'PUT /1.0/instances/none', instance({}), 404, 'Instance not found'],
  [
    'a new name while it runs',
    'POST /1.0/instances/c1',
    { name: 'c3' },
    400,
    'Renaming of running container not allowed',
  ],
  [
    'a bad new name',
    'POST /1.0/instances/c2',
    { name: 'c 3' },
    400,
    invalidName('can only contain alphanumeric and hyphen characters'),
  ],
  ['a new name that is taken', 'POST /1.0/instances/c2', { name: 'c1' }, 409, 'Name "c1" already in use'],
  ['its deletion while it runs', 'DELETE /1.0/instances/c1', '', 400, 'Instance is running'],
];

const STATE = 'PUT /1.0/instances/c1/state';
const EXEC = 'POST /1.0/instances/c1/exec';

/** Actions that are refused. */
export const ACTIONS: readonly Row[] = [
  ['an unknown one', STATE, { action: 'explode' }, 400, "Unknown action: 'explode'"],
  ['no action', STATE, {}, 400, "Unknown action: ''"],
  ['a start of a running instance', STATE, { action: 'start' }, 400, 'The instance is already running'],
  [
    'a stop of a stopped instance',
    'PUT /1.0/instances/c2/state',
    { action: 'stop' },
    400,
    'The instance is already stopped',
  ],
  [
    'a timeout that is a text',
    STATE,
    { action: 'stop', timeout: '1' },
    400,
    'timeout: Invalid input: expected number, received string',
  ],
  ['an unknown instance', 'PUT /1.0/instances/none/state', { action: 'start' }, 404, 'Instance not found'],
  [
    'exec in a stopped instance',
    'POST /1.0/instances/c2/exec',
    { command: ['true'], 'wait-for-websocket': true },
    400,
    'Instance is not running',
  ],
  [
    'exec in an unknown instance',
    'POST /1.0/instances/none/exec',
    { command: ['true'], 'wait-for-websocket': true },
    404,
    'Instance not found',
  ],
  ['exec of nothing', EXEC, { command: [], 'wait-for-websocket': true }, 400, 'command: must not be empty'],
  [
    'exec of a text',
    EXEC,
    { command: 'true', 'wait-for-websocket': true },
    400,
    'command: Invalid input: expected array, received string',
  ],
  ['the cancellation of an unknown operation', 'DELETE /1.0/operations/none', '', 404, 'Operation not found'],
  [
    'an unknown operation',
    'GET /1.0/operations/11111111-1111-1111-1111-111111111111',
    '',
    404,
    'Operation not found',
  ],
];
