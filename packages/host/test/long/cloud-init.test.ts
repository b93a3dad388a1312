import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { TestDaemon } from '../harness/daemon.ts';
import { type DebianRoot, debianImage } from '../harness/debian-root.ts';

const ME = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJr6QJj6mD6X9jvGr0vGUpeFBOQ4O8DAVbMQO7Ul0mZb';
const YOU = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJr6QJj6mD6X9jvGr0vGUpeFBOQ4O8DAVbMQO7Ul0mZc';
const KEYS = {
  'cloud-init.ssh-keys.ann': `root:${ME} ann`,
  'cloud-init.ssh-keys.again': `root:${ME} again`,
  'cloud-init.ssh-keys.you': `debian:${YOU} you`,
};

const DOCUMENT = new URL('../../../../docs/cloud-init.md', import.meta.url);
/** The example of the documentation: vendor data, user data, and what they become. */
const [VENDOR_DATA = '', USER_DATA = '', MERGED = ''] = [
  ...readFileSync(DOCUMENT, 'utf8').matchAll(/```yaml\n(.*?)```/gs),
].map(([, text]) => text);

const TEMPLATE = `## template: jinja
#cloud-config
# {{ v1.cloud_name }}
runcmd:
- [sh, -c, "echo {{ v1.local_hostname }} > /run/name"]
- echo {{ ds.config['user.role'] }} > /run/role
`;

/** Prints what cloud-init applies; no command of cloud-init 22.4 does. */
const READ_MERGED = `
import json
from cloudinit import stages
init = stages.Init(ds_deps=[])
init.read_cfg()
init.fetch(existing="trust")
print(json.dumps(init.cfg))`;

/** The instances, with their config. */
const INSTANCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'only-keys': KEYS,
  users: {
    ...KEYS,
    'cloud-init.user-data': `#cloud-config\nusers: [default, {name: root, ssh_authorized_keys: ['${ME} own', '${YOU} x']}]\n`,
    'cloud-init.vendor-data': '#cloud-config\nruncmd: [ls]\n',
    'cloud-init.network-config': 'version: 2\nethernets: {eth0: {dhcp4: false}}\n',
  },
  documented: {
    'cloud-init.ssh-keys.ann': `root:${ME} ann`,
    'cloud-init.vendor-data': VENDOR_DATA,
    'cloud-init.user-data': USER_DATA,
  },
  template: {
    ...KEYS,
    'cloud-init.user-data': TEMPLATE,
    'user.role': 'web',
    'user.meta-data': 'local-hostname: other\n',
  },
  script: { ...KEYS, 'cloud-init.user-data': '#!/bin/sh\necho ran > /run/script\n' },
};

const DEBIAN: DebianRoot = {
  suite: 'bookworm',
  packages: ['systemd-sysv', 'dbus', 'cloud-init', 'openssh-server', 'iproute2', 'sudo'],
  // The image has this locale. cloud-init would report its default locale as an error.
  hook: `echo 'locale: C.UTF-8' > "$1/etc/cloud/cloud.cfg.d/90_locale.cfg"`,
};

let daemon: TestDaemon;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-cloud-init-');
  daemon = await TestDaemon.start();
  await daemon.must('image', 'import', await debianImage(DEBIAN, folder), '--alias', 'debian');
  for (const [name, config] of Object.entries(INSTANCES)) {
    const set = Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    await daemon.must('launch', 'debian', name, ...set);
  }
  for (const name of Object.keys(INSTANCES)) await booted(name);
}, 30 * 60_000);
afterAll(async () => {
  await daemon?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

async function inside(name: string, command: string): Promise<string> {
  const { code, stdout, stderr } = await daemon.inside(name, 'sh', '-c', command);
  expect([command, code, code === 0 ? '' : stdout, stderr]).toEqual([command, 0, '', '']);
  return stdout;
}

/** Waits until cloud-init has done all. */
const booted = (name: string) =>
  inside(name, 'cloud-init status --wait >/dev/null; systemctl is-system-running --wait >/dev/null || true');

const authorized = async (name: string, home: string) =>
  (await inside(name, `cat ${home}/.ssh/authorized_keys`)).trim().split('\n');

describe.each(Object.keys(INSTANCES))("cloud-init of Debian 12, in the instance '%s'", (name) => {
  it('is done, and logs no warning', async () => {
    expect(await inside(name, 'cloud-init status --long')).toMatch(/^status: done$[\s\S]*^DataSourceLXD$/m);
    expect(
      await inside(
        name,
        'grep -hE "WARN|ERROR|CRITICAL|DEPRECAT|Traceback" /var/log/cloud-init*.log || true',
      ),
    ).toBe('');
    expect(JSON.parse(await inside(name, 'cat /run/cloud-init/result.json'))).toMatchObject({
      v1: { errors: [] },
    });
  });
});

it.each(Object.keys(INSTANCES).filter((name) => name !== 'script'))(
  "cloud-init in the instance '%s' finds its configuration valid",
  async (name) => expect(await inside(name, 'cloud-init schema --system')).toContain('Valid cloud-config'),
);

describe('ssh keys', () => {
  it('are there once each, without other configuration', async () => {
    expect(await authorized('only-keys', '/root')).toEqual([`${ME} again`]);
    expect(await authorized('only-keys', '/home/debian')).toEqual([`${YOU} you`]);
  });

  it('are there once each, beside those of user data, and hide none of them', async () => {
    expect((await authorized('users', '/root')).sort()).toEqual([`${ME} own`, `${YOU} x`]);
    expect(await authorized('users', '/home/debian')).toEqual([`${YOU} you`]);
  });

  it('arrive beside a template, which is filled in as before', async () => {
    expect(await authorized('template', '/root')).toEqual([`${ME} again`]);
    expect(await inside('template', 'cat /run/name /run/role; hostname')).toBe('other\nweb\nother\n');
  });

  it('arrive beside a script', async () => {
    expect(await authorized('script', '/root')).toEqual([`${ME} again`]);
    expect(await inside('script', 'cat /run/script')).toBe('ran\n');
  });

  it('arrive at the next boot after a change, and are still there once each', async () => {
    await daemon.must('config', 'set', 'only-keys', `cloud-init.ssh-keys.new=root:${YOU} new`);
    await daemon.must('config', 'unset', 'only-keys', 'cloud-init.ssh-keys.again');
    await daemon.must('restart', 'only-keys');
    await booted('only-keys');
    expect((await authorized('only-keys', '/root')).sort()).toEqual([`${ME} ann`, `${YOU} new`]);
    expect(await inside('only-keys', 'grep -h WARN /var/log/cloud-init.log || true')).toBe('');
  });
});

describe('vendor data and user data', () => {
  it('are merged as the documentation says', async () => {
    const merged = JSON.parse(await inside('documented', `python3 -c '${READ_MERGED}'`)) as object;
    expect(merged).toMatchObject(parse(MERGED) as object);
    expect(await inside('documented', 'cat /etc/motd; ls /run/from-*')).toBe(
      'This machine belongs to Example Ltd./run/from-user-data\n',
    );
  });
});
