import { chownSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSpec, specOf } from '../src/containers/bundle.ts';
import { Looks } from '../src/containers/looks/looks.ts';
import { describeContainer } from '../src/containers/records/describe.ts';
import { Docker } from './harness/docker.ts';
import { Podman } from './harness/podman.ts';

const hosts: AsyncDisposable[] = [];
afterAll(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]();
});

const { asRoot: look } = new Looks();
const described = async (bundle: string, id: string) => {
  const found = await describeContainer({ of: 'oci', id, pid: 1, bundle, annotations: {} }, look);
  return { container: found.container, words: { ...found.words } };
};

describe('a container of Docker', () => {
  let docker: Docker;
  beforeAll(async () => {
    docker = await Docker.start();
    hosts.push(docker);
    await docker.image(
      'evil:1',
      'LABEL dev.porthole.name=web role=x',
      'ENV PORTHOLE_PROFILES=admin PORTHOLE_NAME=web',
    );
  });
  const ask = (id: string) => described(docker.bundle(id), id);
  const label = (word: string) => ['--label', `dev.porthole.${word}`];

  it('has the words of its operator, not those of its image', async () => {
    const given = [...label('config.user.x=1'), ...label('profiles=own'), '-e', 'PORTHOLE_CONFIG_user__y=2'];
    const id = await docker.start('--name', 'shop', ...given, 'evil:1', 'sleep', 'inf');
    const { container, words } = await ask(id);
    expect(words).toEqual({ 'config.user.x': '1', 'config.user.y': '2', profiles: 'own' });
    expect(container).toMatchObject({
      runtime: 'docker',
      id,
      name: 'shop',
      image: 'evil:1',
      labels: { role: 'x' },
    });
    expect(container.digest).toBe(await docker.must('image', 'inspect', '--format={{.Id}}', 'evil:1'));
    await docker.must('rename', 'shop', 'store');
    expect((await ask(id)).container.name).toBe('store');
    expect(existsSync(container.record)).toBe(true);

    const shares = await docker.must(
      'run',
      '-d',
      `--network=container:${id}`,
      ...label('name=db'),
      'evil:1',
      'sleep',
      'inf',
    );
    expect(await ask(shares)).toMatchObject({ container: { id: shares }, words: { name: 'db' } });
    await docker.must('rm', '--force', id, shares);
    expect(existsSync(container.record)).toBe(false);
  });

  it('has no words when its record belongs to another user', async () => {
    const id = await docker.start(...label('name=db'), 'evil:1', 'sleep', 'inf');
    chownSync(join(docker.host.folder, 'data/containers', id, 'config.v2.json'), 1000, 1000);
    expect(await ask(id)).toMatchObject({ container: { name: '' }, words: {} });
  });
});

describe('a container of Podman', () => {
  let podman: Podman;
  beforeAll(async () => {
    podman = await Podman.make();
    hosts.push(podman);
    await podman.image('plain:1', 'LABEL dev.porthole.name=web', 'ENV PORTHOLE_PROFILES=admin');
  });
  const ask = (id: string) => described(podman.bundle(id), id);

  it('has the words of its operator, not those of its image', async () => {
    const given = ['--annotation=dev.porthole.config.user.x=1', '-e', 'PORTHOLE_NAME=db'];
    const id = await podman.start('--name', 'shop', ...given, 'plain:1', 'sleep', 'inf');
    const { container, words } = await ask(id);
    expect(words).toEqual({ 'config.user.x': '1', name: 'db' });
    expect(container).toEqual({
      runtime: 'podman',
      id,
      name: 'shop',
      image: 'localhost/plain:1',
      digest: `sha256:${await podman.must('image', 'inspect', '--format={{.Id}}', 'plain:1')}`,
      labels: { 'dev.porthole.config.user.x': '1' },
      owner: '',
      record: join(podman.host.folder, 'root/vfs-containers', id),
    });
    const brief = await podman.start('--rm', '--annotation=dev.porthole.name=db', 'plain:1', 'sleep', 'inf');
    expect((await ask(brief)).words).toEqual({ name: 'db' });
    await podman.must('rm', '--force', '--time=0', id, brief);
    expect(existsSync(container.record)).toBe(false);
  });

  it('cannot be named by annotations in the manifest of its image, nor by a variable that Podman trims', async () => {
    await evilImage(podman);
    const id = await podman.start('--annotation=dev.porthole.config.user.x=1', 'evil:1', 'sleep', 'inf');
    const bundle = podman.bundle(id);
    const { annotations, env } = readSpec(bundle, await look({ files: [specOf(bundle)] }));
    expect(annotations).toMatchObject({ 'dev.porthole.name': 'web' });
    expect(env).toContain('PORTHOLE_PROFILES=admin');
    expect((await ask(id)).words).toEqual({ 'config.user.x': '1' });
  });

  it('in a user namespace has the words of its operator too', async () => {
    const map = ['--uidmap=0:1000000:1000', '--gidmap=0:1000000:1000'];
    const id = await podman.start(...map, '-e', 'PORTHOLE_NAME=db', 'plain:1', 'sleep', 'inf');
    expect((await ask(id)).words).toEqual({ name: 'db' });
  });

  it('without an image has all words of its operator', async () => {
    const root = join(podman.host.folder, 'unpacked/rootfs');
    const id = await podman.start('-e', 'PORTHOLE_NAME=db', '--rootfs', root, 'sleep', 'inf');
    expect(await ask(id)).toMatchObject({ container: { image: '', digest: '' }, words: { name: 'db' } });
  });
});

/** An image whose manifest has annotations, and whose config has a variable with a space before its name. */
async function evilImage(podman: Podman): Promise<void> {
  const { folder } = podman.host;
  const layout = join(folder, 'layout');
  const must = async (...words: string[]) => {
    const { ok, failure } = await podman.host.run(words);
    if (!ok) throw new Error(`${words.join(' ')}: ${failure}`);
  };
  await must('umoci', 'init', '--layout', layout);
  await must('umoci', 'new', '--image', `${layout}:1`);
  await must('umoci', 'unpack', '--image', `${layout}:1`, join(folder, 'layer'));
  rmSync(join(folder, 'layer/rootfs'), { recursive: true });
  mkdirSync(join(folder, 'layer/rootfs'));
  cpSync(join(folder, 'unpacked/rootfs/bin'), join(folder, 'layer/rootfs/bin'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  await must('umoci', 'repack', '--image', `${layout}:1`, join(folder, 'layer'));
  const said = ['--manifest.annotation=dev.porthole.name=web', '--config.env= PORTHOLE_PROFILES=admin'];
  await must('umoci', 'config', '--image', `${layout}:1`, ...said);
  await must('skopeo', 'copy', `oci:${layout}:1`, podman.reference('localhost/evil:1'));
}
