import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergedConfig } from '../src/core/ssh-keys.ts';
import { run } from '../src/process/run.ts';
import { TestDaemon } from './harness/daemon.ts';

const USER_DATA = '#cloud-config\n# a comment that must survive\npackages: [vim]\n';
const VENDOR_DATA = '#cloud-config\nruncmd: [ls]\n';
const NETWORK_CONFIG = 'version: 1\nconfig: disabled\n';

/** The output of Debian's `python3 -m cloudinit.sources.DataSourceLXD`. */
interface Read {
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly 'meta-data': string;
  readonly 'network-config': string;
  readonly 'user-data': string;
  readonly 'vendor-data': string;
}

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.must('image', 'build', 'busybox');
  await daemon.must(
    'launch',
    'busybox',
    'ci',
    '-c',
    'user.role=web',
    '-c',
    `cloud-init.user-data=${USER_DATA}`,
  );
  await daemon.must('config', 'set', 'ci', `cloud-init.vendor-data=${VENDOR_DATA}`);
  await daemon.must('config', 'set', 'ci', `cloud-init.network-config=${NETWORK_CONFIG}`);
});
afterAll(() => daemon?.destroy());

/**
 * Runs the reader as root of the instance, in its user and PID namespaces, with the guest API's folder at
 * /dev/lxd. The files are the host's: the instance has no Python.
 */
async function readAsCloudInit(): Promise<Read> {
  const script = `set -e
    mount -t tmpfs tmpfs /mnt
    for device in null random urandom; do touch /mnt/$device; mount --bind /dev/$device /mnt/$device; done
    mkdir /mnt/lxd
    mount --bind "$0" /mnt/lxd
    mount --rbind /mnt /dev
    cd /
    exec /usr/bin/python3 -m cloudinit.sources.DataSourceLXD`;
  const enter = ['-t', String(await daemon.initPid('ci')), '-U', '-p', '-S', '0', '-G', '0', '--'];
  const folder = `${daemon.stateDir}/devlxd`;
  const result = await run('nsenter', [...enter, 'unshare', '-m', 'sh', '-c', script, folder]);
  if (!result.ok) throw new Error(`Debian's cloud-init (apt-get install cloud-init): ${result.failure}`);
  return JSON.parse(result.stdout) as Read;
}

describe("Debian's cloud-init", () => {
  it('reads user-data, vendor-data, network-config, meta-data, devices and keys of its instance', async () => {
    const read = await readAsCloudInit();
    expect(read['user-data']).toBe(USER_DATA);
    expect(read['vendor-data']).toBe(VENDOR_DATA);
    expect(read['network-config']).toBe(NETWORK_CONFIG);
    expect(read['meta-data']).toMatch(/^#cloud-config\ninstance-id: [0-9a-f-]{36}\nlocal-hostname: ci\n$/);
    expect(read.devices).toEqual({ root: { path: '/', pool: 'default', type: 'disk' } });
    expect(read.config['user.role']).toBe('web');
  });

  it('finds SSH keys merged into the user data, and a new instance-id with them', async () => {
    const before = await readAsCloudInit();
    await daemon.must('config', 'set', 'ci', 'cloud-init.ssh-keys.me=root:gh:somebody');
    const after = await readAsCloudInit();
    expect(after['user-data']).toMatch(/ssh_import_id:\s+- gh:somebody/);
    expect(after['user-data']).toContain('packages:');
    expect(after['meta-data']).not.toBe(before['meta-data']);
    const keys = Object.keys(after.config).filter((key) => !key.startsWith('user.role'));
    expect(keys).toEqual(['cloud-init.network-config', 'cloud-init.user-data', 'cloud-init.vendor-data']);
  });
});

describe('user.meta-data that would be broken YAML', () => {
  const MESSAGE = 'user.meta-data would make meta-data broken YAML: line 2: ';
  const value = 'user.meta-data=a: 1\nb: {{ x }}\n';

  it('is refused where it is set, with the line, and changes nothing', async () => {
    const refused = [
      ['config', 'set', 'ci', value],
      ['profile', 'set', 'default', value],
      ['init', 'busybox', 'other', '-c', value],
    ];
    for (const args of refused) {
      const { code, stderr } = await daemon.porthole(...args);
      expect([args, code, stderr]).toEqual([args, 1, expect.stringContaining(MESSAGE)]);
    }
    expect((await daemon.must('config', 'get', 'ci', 'user.meta-data')).trim()).toBe('');
    expect(await daemon.must('list', '-f', 'csv', '-c', 'n')).toBe('ci\n');
  });
});

describe('a cloud-config with ssh keys merged in, as cloud-init reads it', () => {
  const KEYS = { 'cloud-init.ssh-keys.a': 'root:gh:somebody' };
  const merge = (text: string) =>
    mergedConfig({ ...KEYS, 'cloud-init.user-data': text }).config.get('cloud-init.user-data') ?? '';
  const lines = fc.constantFrom(
    'a: 1',
    'b: yes',
    'c: |',
    'd: >-',
    'e: {{ v.word }}',
    'f: "{{ v.word }}"',
    'g: {{ v.lines }}',
    'h: {{ v.yaml }}',
    'i: [{{ v.word }}, {{ v.yaml }}]',
    'j: {k: 0644, l: 1_000, m: 12:30:45, n: 2001-01-01}',
    '  text # no comment',
    '  o: p',
    '- q',
    '  - r: &s t',
    'u: *s',
    'w: \u0085',
    'x: \u2028 y',
    'z: "\\x41 \\',
    '  more"',
    "'quoted': 'it''s'",
    '? [a]',
    ': b',
    'tab:\tx',
    '{{ v.word }}: 1',
    'users: [default]',
    'users: {{ v.nothing }}',
    '{% if v.word %}',
    '{% endif %}',
    '---',
    '# {{ v.word }}',
    '',
  );
  const texts = fc
    .tuple(
      fc.constantFrom(
        '#cloud-config',
        '\n#cloud-config',
        '## template: jinja\n#cloud-config',
        '# c\n#cloud-config',
      ),
      fc.array(lines, { maxLength: 6 }),
      fc.constantFrom('\n', '\r\n'),
    )
    .map(([header, body, end]) => `${[header, ...body].join('\n')}\n`.replaceAll('\n', end));

  it('means the same apart from its users', async () => {
    const pairs = fc.sample(texts, { numRuns: 600, seed: 1 }).map((text) => [text, merge(text)] as const);
    const program = fileURLToPath(new URL('programs/read-cloud-config.py', import.meta.url));
    const read = await run('/usr/bin/python3', [program], { input: JSON.stringify(pairs) });
    expect(read.failure).toBe('');
    const found = (JSON.parse(read.stdout) as ([boolean, unknown] | null)[]).map((each, index) => ({
      pair: pairs[index] ?? ['', ''],
      each,
    }));
    expect(found.filter(({ each }) => each?.[0] === false)).toEqual([]);
    const merged = found.filter(({ each, pair }) => each && pair[0] !== pair[1]);
    expect(merged.length).toBeGreaterThan(50);
    const root = { name: 'root', ssh_import_id: ['gh:somebody'] };
    for (const { each, pair } of merged) {
      expect([pair, each?.[1]]).toEqual([pair, expect.arrayContaining([root])]);
    }
  });
});
