import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './harness/api.ts';
import { BIN, TestDaemon } from './harness/daemon.ts';
import { Docker } from './harness/docker.ts';
import { Operator } from './harness/operator.ts';
import { Podman } from './harness/podman.ts';
import { outputOf, type PrivateHost } from './harness/private-host.ts';

let daemon: TestDaemon;
let operator: Operator;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
});
afterAll(() => daemon?.destroy());

/** Runs `porthole setup` in the namespaces of a container manager. */
async function setUp(host: PrivateHost, ...words: string[]): Promise<string> {
  const command = [join(BIN, 'porthole'), '--state-dir', daemon.stateDir, 'setup', ...words];
  return outputOf(words.join(' '), await host.run(command));
}

/** A program inside a container, which asks for a key. */
const ASK = ['/usr/bin/devlxd', '/1.0/config/user.x'];

const COMPOSE = `services:
  front:
    image: bb:1
    command: sleep inf
    runtime: porthole
    network_mode: none
    labels:
      dev.porthole.name: front
      dev.porthole.config.user.x: "1"
`;

describe('Docker, after `porthole setup docker`', () => {
  let docker: Docker;
  beforeAll(async () => {
    docker = await Docker.start();
    await docker.image('bb:1', 'LABEL dev.porthole.config.user.x=evil');
  });
  afterAll(() => docker?.[Symbol.asyncDispose]());
  const runtimes = async () => docker.must('info', '--format={{json .Runtimes}}');

  it('has a runtime whose containers become instances, without a restart', async () => {
    await setUp(docker.host, 'docker', '--config', docker.settings, '--reload');
    await until('Docker knows the runtime', async () => (await runtimes()).includes('"porthole"'));
    const words = ['--label', 'dev.porthole.config.user.x=1', '--label', 'dev.porthole.name=web'];
    const id = await docker.start(
      '--runtime',
      'porthole',
      '--name',
      'shop',
      ...words,
      'bb:1',
      'sleep',
      'inf',
    );
    expect((await operator.get('web')).config).toMatchObject({
      'user.x': '1',
      'volatile.container.runtime': 'docker',
      'volatile.container.id': id,
    });
    expect(await docker.must('exec', id, ...ASK)).toBe('1');
    await docker.must('restart', '--time', '0', id);
    expect(await docker.must('exec', id, ...ASK)).toBe('1');
    await docker.must('rm', '--force', id);
    await until('its end is seen', async () => (await operator.statuses())['web'] !== 'Running');
  });

  it('runs services of docker-compose that ask for the runtime', async () => {
    const file = join(docker.host.folder, 'docker-compose.yml');
    writeFileSync(file, COMPOSE);
    const env = { HOME: docker.host.folder, DOCKER_HOST: `unix://${docker.host.folder}/sock` };
    const compose = async (...words: string[]) => {
      const command = ['docker-compose', '--project-name', 'shop', '--file', file, ...words];
      return outputOf(words.join(' '), await docker.host.run(command, env));
    };
    await compose('up', '--detach');
    expect(await compose('exec', '-T', 'front', ...ASK)).toBe('1');
    const { created_at: created } = await operator.get('front');
    await compose('restart', '--timeout', '0');
    expect(await compose('exec', '-T', 'front', ...ASK)).toBe('1');
    expect((await operator.get('front')).created_at).toBe(created);
    await compose('down', '--timeout', '0');
    await until('its end is seen', async () => (await operator.statuses())['front'] === 'Stopped');
    await compose('up', '--detach');
    expect((await operator.get('front')).created_at).toBe(created);
    await compose('down', '--timeout', '0');
  });

  it('has no such runtime after the removal', async () => {
    await setUp(docker.host, 'docker', '--config', docker.settings, '--remove');
    expect(JSON.parse(readFileSync(docker.settings, 'utf8'))).toEqual({ pidfile: expect.any(String) });
  });
});

describe('Podman', () => {
  let podman: Podman;
  beforeAll(async () => {
    podman = await Podman.make();
    await podman.image('bb:1', 'ENV PORTHOLE_NAME=evil');
  });
  afterAll(() => podman?.[Symbol.asyncDispose]());

  const check = async (name: string, ...options: string[]) => {
    const words = [
      '--annotation',
      'dev.porthole.config.user.x=1',
      '--annotation',
      `dev.porthole.name=${name}`,
    ];
    const id = await podman.start(...options, ...words, 'bb:1', 'sleep', 'inf');
    expect((await operator.get(name)).config).toMatchObject({
      'volatile.container.runtime': 'podman',
      'volatile.container.id': id,
    });
    expect(await podman.must('exec', id, ...ASK)).toBe('1');
    await podman.must('rm', '--force', '--time=0', id);
    await until('its end is seen', async () => (await operator.statuses())[name] !== 'Running');
  };

  it('has a runtime whose containers become instances, after `porthole setup podman`', async () => {
    await setUp(podman.host, 'podman', '--config', podman.settings);
    podman.runtime = 'porthole';
    await check('by-runtime');
    await setUp(podman.host, 'podman', '--config', podman.settings, '--remove');
    expect(existsSync(podman.settings)).toBe(false);
    writeFileSync(podman.settings, '');
    expect((await podman.run('info')).stderr).toContain('porthole');
    podman.runtime = 'runc';
  });

  it('has a device with which containers become instances, after `porthole setup cdi`', async () => {
    // The second of the two folders where managers look for devices; it is this Podman's own.
    await setUp(podman.host, 'cdi', '--config', '/run/cdi/porthole.json');
    await check('by-device', '--device', 'porthole.dev/instance=default');
  });
});
