import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { file, tarOf } from '../src/images/testing/archives.ts';
import { until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { type ImageFiles, imageFiles } from './harness/image-files.ts';
import { Operator } from './harness/operator.ts';

const METADATA = `
architecture: amd64
creation_date: 1700000000
templates:
  /etc/hostname: {when: [create, copy, rename], template: hostname.tpl}
  /etc/hosts: {when: [create], template: hosts.tpl, properties: {domain: example.org}}
  /var/lib/cloud/seed/nocloud-net/user-data: {when: [create], template: user.tpl, properties: {default: "none\\n"}}
  /etc/group: {when: [create], create_only: true, template: hostname.tpl}
  /etc/machine: {when: [create], create_only: true, template: hostname.tpl}
  /role: {when: [start], template: role.tpl}
  /both: {when: [create, start], template: both.tpl}
  /escape/made: {when: [start], template: role.tpl}
  /etc/passwd: {when: [start], template: ssi.tpl}
  /gone: {when: [start], template: gone.tpl}
`;

const TEMPLATES = {
  'hostname.tpl': '{{ container.name }}\n',
  'hosts.tpl': '127.0.0.1 localhost\n127.0.1.1 {{ instance.name }}.{{ properties.domain }}\n',
  'user.tpl': '{{ config_get("user.user-data", properties.default) }}',
  'role.tpl':
    '{% if config_get("user.role", "") == "" %}none{% else %}{{ config_get("user.role", "") }}{% endif %}\n',
  'both.tpl': '{{ trigger }} {{ path }}\n',
  'ssi.tpl': '{% ssi "/etc/shadow" %}',
};

let files: ImageFiles;
let daemon: TestDaemon;
let operator: Operator;
let imported: { stdout: string; stderr: string };
/** A folder of the host that templates must not reach. */
let outside: string;

beforeAll(async () => {
  [daemon, files] = await Promise.all([TestDaemon.start(), imageFiles()]);
  operator = new Operator(daemon);
  outside = mkdtempSync('/var/tmp/porthole-test-outside-');
  const texts = Object.entries(TEMPLATES).map(([name, text]) => file(`templates/${name}`, text));
  await writeFile(join(files.folder, 't.tar'), await tarOf([file('metadata.yaml', METADATA), ...texts]));
  imported = await daemon.porthole(
    'image',
    'import',
    join(files.folder, 't.tar'),
    files.rootfs,
    '--alias',
    't',
  );
});
afterAll(async () => {
  await daemon?.destroy();
  await files?.[Symbol.asyncDispose]();
  rmSync(outside, { recursive: true, force: true });
});

const make = (name: string, config: Record<string, string> = {}) =>
  operator.create(name, { source: { type: 'image', alias: 't' }, config });
const start = (name: string) => operator.state(name, 'start');
const end = (name: string) => operator.state(name, 'stop', { force: true });
const waiting = async (name: string) => (await operator.get(name)).config['volatile.apply_template'];

/** Whether the instance that was made last has a file of a template. */
function hasMade(): boolean {
  const instances = join(daemon.stateDir, 'instances');
  const last = Math.max(...readdirSync(instances).map(Number));
  return existsSync(join(instances, String(last), 'overlay/upper/etc/hostname'));
}

it('image import and image info tell which templates are left out, and why', async () => {
  expect(imported.stdout).toMatch('Image imported with fingerprint: ');
  expect(imported.stderr).toMatch(
    /Warning: the template of \/etc\/passwd .*: the tag "ssi" is not supported/,
  );
  expect(imported.stderr).toMatch(
    /Warning: the template of \/gone .*: the image has no file "templates\/gone.tpl"/,
  );
  const info = await daemon.must('image', 'info', 't');
  expect(info).toMatch('    - /etc/machine (at create, if the file is missing)\n');
  expect(info).toMatch('    - /etc/passwd (at start): left out: the tag "ssi" is not supported');
});

it.each([
  ['an unprivileged', 'c1', {}],
  ['a privileged', 'p1', { 'security.privileged': 'true' }],
])(
  '%s instance gets its files at its first start, with the owners and modes of LXD',
  async (_what, name, more) => {
    await make(name, { ...more, 'user.user-data': '#cloud-config <&>\n' });
    expect(await waiting(name)).toBe('create');
    await start(name);
    expect(await waiting(name)).toBeUndefined();
    expect(await operator.sh(name, 'cat /etc/hostname /etc/hosts /role /both /etc/machine')).toBe(
      `${name}\n127.0.0.1 localhost\n127.0.1.1 ${name}.example.org\nnone\nstart /both\n${name}`,
    );
    expect(await operator.sh(name, 'cat /var/lib/cloud/seed/nocloud-net/user-data')).toBe(
      '#cloud-config <&>',
    );
    expect(
      await operator.sh(name, 'head -n 1 /etc/group; head -n 1 /etc/passwd; ls /gone 2>&1; true'),
    ).toMatch(/^root:x:0:\S*\nroot:x:0:0:\S*\nls: \/gone: No such file/);
    const facts = await operator.sh(
      name,
      'stat -c "%u:%g %a" /etc/hosts /role /var/lib/cloud /var/lib/cloud/seed',
    );
    expect(facts).toBe('0:0 644\n0:0 644\n0:0 755\n0:0 755');
    await end(name);
  },
);

it('templates of start see changed keys, those of create are not applied again, and files keep their owner and mode', async () => {
  await start('c1');
  await operator.sh('c1', 'echo mine > /etc/hostname; chown 33:44 /role; chmod 600 /role; rm /etc/machine');
  await end('c1');
  await operator.patch('c1', { config: { 'user.role': 'web' } });
  await start('c1');
  expect(
    await operator.sh('c1', 'cat /etc/hostname /role; stat -c "%u:%g %a" /role; ls /etc/machine 2>&1; true'),
  ).toBe('mine\nweb\n33:44 600\nls: /etc/machine: No such file or directory');
  await end('c1');
});

it('a rename applies the templates of rename at the next start', async () => {
  await daemon.must('rename', 'c1', 'c2');
  await start('c2');
  expect(await operator.sh('c2', 'cat /etc/hostname; tail -n 1 /etc/hosts')).toBe(
    'c2\n127.0.1.1 c1.example.org',
  );
  await end('c2');
});

it.each([
  ['an unprivileged', {}],
  ['a privileged', { 'security.privileged': 'true' }],
])('the files of %s instance never leave its root, whatever links it has made', async (_what, config) => {
  const name = 'hostile';
  await make(name, config);
  await start(name);
  const up = '../'.repeat(20);
  await operator.sh(name, `rm -rf /escape /role; ln -s ${outside} /escape; ln -s ${up}${outside}/role /role`);
  await operator.sh(name, `mkdir -p ${outside}`);
  await end(name);
  await start(name);
  expect(existsSync(join(outside, 'made'))).toBe(false);
  expect(existsSync(join(outside, 'role'))).toBe(false);
  expect(await operator.sh(name, `cat ${outside}/made ${outside}/role`)).toBe('none\nnone');
  await end(name);
  await operator.delete(name);
});

it('what a guest has left in the place of a file keeps only that file from being written', async () => {
  await start('c2');
  await operator.sh('c2', 'rm /role; mkdir /role /.porthole-template; echo old > /both; chmod 640 /both');
  await end('c2');
  await start('c2');
  expect(await operator.sh('c2', 'cat /both; stat -c "%a %F" /both /role')).toBe(
    'start /both\n640 regular file\n755 directory',
  );
  await operator.sh('c2', 'rmdir /role /.porthole-template');
  await end('c2');
});

it('after a crash before or during the first start the files are made at the next one', async () => {
  await make('k', { 'user.role': 'one' });
  await daemon.kill();
  await daemon.start();
  expect(await waiting('k')).toBe('create');
  void start('k').catch(() => {});
  await until('a file is made', () => hasMade());
  await daemon.kill();
  await daemon.start();
  await operator.state('k', 'stop', { force: true }).catch(() => {});
  await operator.patch('k', { config: { 'user.role': 'two' } });
  await start('k');
  expect(
    await operator.sh('k', 'cat /etc/hostname /etc/machine /role; ls -a /etc | grep -c porthole; true'),
  ).toBe('k\nk\ntwo\n0');
  await end('k');
});

it('instances outlive their image, and have its templates still', async () => {
  await make('late');
  await daemon.must('image', 'delete', 't');
  await start('late');
  expect(await operator.sh('late', 'cat /etc/hostname')).toBe('late');
  await end('late');
  const kept = join(daemon.stateDir, 'rootfs');
  for (const name of ['late', 'c2', 'p1', 'k']) await operator.delete(name);
  await daemon.restart();
  await until(
    'the templates are removed',
    () => !readdirSync(kept).some((entry) => entry.endsWith('.templates')),
  );
});
