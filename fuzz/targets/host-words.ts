import { createHash } from 'node:crypto';
import type { Words } from '../http-mutate.ts';

/** The bytes of the image that the fuzzed host API has. */
export const IMAGE = 'an image';
const FINGERPRINT = createHash('sha256').update(IMAGE).digest('hex');

const INSTANCE = {
  description: 'd',
  ephemeral: false,
  profiles: ['default', 'p1'],
  config: { 'user.a': '1', 'limits.memory': '64MiB', 'boot.autostart': 'true' },
  devices: {
    eth0: { type: 'nic', nictype: 'bridged', parent: 'br0' },
    root: { type: 'disk', path: '/', pool: 'x' },
  },
};

const BODIES: readonly unknown[] = [
  INSTANCE,
  { name: 'c3', source: { type: 'image', alias: 'tiny' }, ...INSTANCE },
  { name: 'c3', source: { type: 'image', fingerprint: FINGERPRINT } },
  { name: 'c4', source: { type: 'adopt', pid: 1 } },
  { name: 'c5', source: { type: 'none' } },
  { name: 'renamed' },
  { action: 'start', timeout: -1, force: false, stateful: false },
  { action: 'stop', timeout: 30, force: true },
  {
    command: ['sh', '-c', 'true'],
    environment: { A: 'b' },
    'wait-for-websocket': true,
    interactive: true,
    width: 80,
  },
  { command: ['true'], user: 1000, group: 1000, cwd: '/', 'record-output': false },
  { name: 'p2', description: '', config: { 'user.p': '2' }, devices: {} },
  { config: { 'user.a': null }, devices: { eth0: null } },
  { name: 'a1', description: 'x', target: FINGERPRINT },
  {
    public: true,
    auto_update: false,
    properties: { os: 'x' },
    profiles: ['default'],
    expires_at: '2030-01-01T00:00:00Z',
  },
  { cached: true },
  { enabled: true, server_name: 'ma', server_address: '10.0.0.1:8443', cluster_address: '' },
  { server_name: 'ma', address: '10.0.0.1:8443' },
];

const NAMES = [
  'c1',
  'c2',
  'none',
  'default',
  'p1',
  'tiny',
  FINGERPRINT,
  '0',
  '..',
  '%2e%2e',
  '%00',
  '%ff',
  '%2F',
  'a b',
];

/** Words of the host API. */
export const HOST_WORDS: Words = {
  methods: ['GET', 'GET', 'PUT', 'PATCH', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'get', 'TRACE'],
  paths: [
    ...['/', '/1.0', '/1.0/events', '/1.0/instances', '/1.0/containers', '/1.0/profiles', '/1.0/images'],
    ...[
      '/1.0/images/aliases',
      '/1.0/operations',
      '/1.0/backups',
      '/1.0/cluster',
      '/1.0/cluster/members',
      '/1.0/networks',
      '/1.0/storage-pools/default',
      '/2.0',
      '*',
      '//',
    ],
    ...NAMES.flatMap((name) => [
      ...['', '/state', '/exec', '/files', '/logs/lxc.log'].map((rest) => `/1.0/instances/${name}${rest}`),
      ...[
        `/1.0/profiles/${name}`,
        `/1.0/images/aliases/${name}`,
        `/1.0/images/${name}`,
        `/1.0/images/${name}/export`,
      ],
      ...[`/1.0/operations/${name}`, `/1.0/operations/${name}/wait`, `/1.0/operations/${name}/websocket`],
    ]),
  ],
  queries: [
    ...[
      'recursion=1',
      'recursion=2',
      'recursion=x',
      'project=default',
      'project=other',
      'all-projects=true',
      'target=n1',
    ],
    ...[
      'filter=name%20eq%20c1',
      'filter=config.user.a eq b',
      'filter=(',
      'filter=not%20name%20eq%20a%20and%20b',
    ],
    ...[
      'path=/etc/hosts',
      'path=etc/hosts',
      'path=%00',
      'path=',
      'path=/../x',
      'since=now',
      'since=0',
      'type=lifecycle',
    ],
    ...['timeout=-1', 'timeout=0', 'timeout=x', 'secret=x', 'public=1', '%', '&&=', 'path=%ff'],
  ],
  headers: [
    ...[
      'If-Match: "x"',
      'If-Match: *',
      'Content-Type: application/json',
      'Content-Type: multipart/form-data; boundary=b',
    ],
    ...[
      'Content-Type: multipart/form-data',
      'Content-Type: ;',
      'X-LXD-type: directory',
      'X-LXD-type: symlink',
    ],
    ...['X-LXD-uid: -1', 'X-LXD-mode: 0644', 'X-LXD-mode: 99999', 'X-LXD-write: append', 'X-LXD-write: x'],
    ...[
      'X-LXD-filename: ../x',
      'X-LXD-public: 1',
      'X-LXD-properties: os=x&%',
      'X-LXD-fingerprint: x',
      'Range: bytes=0-1',
    ],
    ...['Upgrade: websocket', 'Connection: upgrade', 'Connection: close', 'Sec-WebSocket-Version: 13'],
    ...[
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Upgrade: h2c',
      'Expect: 100-continue',
      'Accept-Encoding: gzip',
    ],
  ],
  bodies: [
    ...BODIES.map((body) => JSON.stringify(body)),
    ...[
      '',
      'null',
      '[]',
      '"x"',
      '{"name":',
      '\xff',
      '{"__proto__":{"name":"x"}}',
      '['.repeat(3000),
      '{"a":'.repeat(900),
    ],
    '--b\r\nContent-Disposition: form-data; name="metadata"; filename="m"\r\n\r\nM\r\n' +
      '--b\r\nContent-Disposition: form-data; name="rootfs"; filename="r"\r\n\r\nR\r\n--b--\r\n',
    '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nM\r\n--b--\r\n',
    '--b\r\nContent-Disposition: form-data; name="metadata"; filename="m"\r\n\r\nM',
  ],
};
