import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../harness/api.ts';
import { DebianMachine } from '../harness/machine.ts';
import { BuiltPackages, OWN_ARCHITECTURE } from '../harness/packages.ts';

const MINUTES_MS = 60_000;
const INSTALL = ['install', '-y', '--no-install-recommends'] as const;
const MANAGERS = ['podman', 'crun', 'docker.io', 'docker-cli'];

/** The machine has the network of the host: Docker makes no bridge and no rules in it. */
const DOCKER = { bridge: 'none', iptables: false, ip6tables: false, 'ip-forward': false };

/** Docker 28 and later read devices of CDI without this. */
const CDI = { features: { cdi: true } };

const QUADLET = `[Container]
Image=localhost/bb:1
ContainerName=web
Exec=sleep inf
Network=none
AddDevice=porthole.dev/instance=default
Annotation=dev.porthole.config.user.x=quadlet

[Install]
WantedBy=multi-user.target
`;

const DEVICE = ['--network=none', '--device', 'porthole.dev/instance=default'];

let machine: DebianMachine;
beforeAll(async () => {
  using built = await BuiltPackages.make('--arch', OWN_ARCHITECTURE);
  machine = await DebianMachine.start('trixie');
  await machine.must('apt-get', 'update');
  await machine.must('apt-get', ...INSTALL, machine.give(built.path('.deb')));
}, 30 * MINUTES_MS);
afterAll(() => machine?.destroy(), 5 * MINUTES_MS);

/**
 * Enters cgroups of the machine before the command, because a program from outside is in none of them. Cgroups of
 * version 1 have a file `tasks`; systemd manages the others.
 */
const ENTER =
  'for file in /sys/fs/cgroup/*/tasks; do echo $$ > "$file"; done 2>/dev/null; exec systemd-run --scope --quiet "$@"';
const must = async (...words: string[]) => (await machine.must('sh', '-c', ENTER, 'sh', ...words)).trim();

function write(path: string, text: string): void {
  mkdirSync(join(machine.root, path, '..'), { recursive: true });
  writeFileSync(join(machine.root, path), text);
}

it(
  'the Debian package contains everything that it needs, and the tour passes',
  async () => {
    expect(await machine.must('systemctl', 'is-active', 'portholed.service')).toBe('active\n');
    expect(await machine.must('porthole', 'tour')).toMatch(/\nAll 10 steps of the tour gave/);
    await machine.must('porthole', 'delete', '--force', 'first');
  },
  5 * MINUTES_MS,
);

describe('A container of Debian 13 that asks for the device of `porthole setup cdi`', () => {
  beforeAll(async () => {
    write('etc/docker/daemon.json', JSON.stringify({ ...DOCKER, ...CDI }));
    await machine.must('apt-get', ...INSTALL, ...MANAGERS);
    await machine.must('porthole', 'setup', 'cdi');
    const archive = machine.give(inject('busybox'));
    await machine.must('tar', '-xzf', archive, '-C', '/root');
    await machine.must('tar', '-cf', '/root/root.tar', '-C', '/root/rootfs', '.');
    for (const manager of ['podman', 'docker']) await must(manager, 'import', '/root/root.tar', 'bb:1');
  }, 10 * MINUTES_MS);

  const runtimeOf = async (name: string) =>
    (await machine.must('porthole', 'config', 'get', name, 'volatile.container.runtime')).trim();
  const stopped = (name: string) =>
    until('its end is seen', async () => {
      const list = JSON.parse(await machine.must('porthole', 'list', '-f', 'json'));
      return list.find((each: { name: string }) => each.name === name)?.status === 'Stopped';
    });

  it.each(['podman', 'docker'])(
    'is an instance with the config of its operator, with %s run',
    async (manager) => {
      const name = `of-${manager}`;
      const words = ['--name', name, '--annotation', 'dev.porthole.config.user.x=one'];
      await must(manager, 'run', '--detach', ...DEVICE, ...words, 'bb:1', 'sleep', 'inf');
      expect(await must(manager, 'exec', name, 'devlxd', '/1.0/config/user.x')).toBe('one');
      expect(await runtimeOf(name)).toBe(manager);
      await must(manager, 'restart', '--time', '0', name);
      expect(await must(manager, 'exec', name, 'devlxd', '/1.0/config/user.x')).toBe('one');
      await must(manager, 'rm', '--force', name);
      await stopped(name);
    },
  );

  it('may have its config in labels, with docker run', async () => {
    const words = ['--name', 'labelled', '--label', 'dev.porthole.config.user.x=label'];
    await must('docker', 'run', '--detach', ...DEVICE, ...words, 'bb:1', 'sleep', 'inf');
    expect(await must('docker', 'exec', 'labelled', 'devlxd', '/1.0/config/user.x')).toBe('label');
    await must('docker', 'rm', '--force', 'labelled');
    await stopped('labelled');
  });

  it('is the same instance each time systemd starts it, with Quadlet', async () => {
    write('etc/containers/systemd/web.container', QUADLET);
    await machine.must('systemctl', 'daemon-reload');
    await machine.must('systemctl', 'start', 'web.service');
    expect(await must('podman', 'exec', 'web', 'devlxd', '/1.0/config/user.x')).toBe('quadlet');
    await machine.must('porthole', 'config', 'set', 'web', 'user.kept=1');
    await machine.must('systemctl', 'restart', 'web.service');
    expect(await must('podman', 'exec', 'web', 'devlxd', '/1.0/config/user.kept')).toBe('1');
    await machine.must('systemctl', 'stop', 'web.service');
    await stopped('web');
  });
});
