import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { specOf } from '../bundle.ts';
import type { Describe, OciSpec, OciState } from '../described.ts';
import { Looks } from '../looks/looks.ts';
import { describeDocker } from './docker.ts';
import { describeOci, ociPaths } from './oci.ts';
import { describePodman, podmanPaths } from './podman.ts';
import { fileOf } from './podman-image.ts';

const ID = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const IMAGE = 'c'.repeat(64);
const MANIFEST = 'd'.repeat(64);

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'porthole-test-records-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, json: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(json));
}
const state = (bundle: string) => ({ id: ID, pid: 1, bundle, annotations: {} });
const spec = (given: Partial<OciSpec>): OciSpec => ({ env: [], annotations: {}, mounts: [], ...given });
const { asRoot: look } = new Looks();
async function describedBy(describe: Describe, its: OciState, spec: OciSpec) {
  const [podman, oci] = [podmanPaths(its), ociPaths(its)];
  const files = [specOf(its.bundle), ...podman.files];
  const first = await look({ files, folders: [...podman.folders, ...oci.folders] });
  return describe(its, { spec, first, look });
}
const said = { Labels: { 'dev.porthole.name': 'web', role: 'db' }, Env: ['PORTHOLE_PROFILES=own'] };
const NAME = { name: 'web', profiles: 'own' };

describe('a container of Docker', () => {
  const record = `containers/${ID}/config.v2.json`;
  const image = `image/vfs/imagedb/content/sha256/${IMAGE}`;
  const config = {
    ID,
    Name: '/shop',
    Image: `sha256:${IMAGE}`,
    Driver: 'vfs',
    Config: { Image: 'bb:1', ...said },
  };
  const ask = (of = ID) =>
    describedBy(
      describeDocker,
      state(`/run/moby/${ID}`),
      spec({ mounts: [{ destination: '/etc/hosts', source: join(root, `containers/${of}/hosts`) }] }),
    );
  beforeEach(() => {
    write(record, config);
    write(image, { config: {} });
  });

  it('is described by its record', async () => {
    expect(await ask()).toEqual({
      container: {
        runtime: 'docker',
        id: ID,
        name: 'shop',
        image: 'bb:1',
        digest: `sha256:${IMAGE}`,
        labels: said.Labels,
        owner: '',
        record: join(root, `containers/${ID}`),
      },
      words: NAME,
    });
  });

  it('has its own record if it uses the network of another container', async () => {
    expect((await ask(OTHER))?.words).toEqual(NAME);
  });

  it('has no words of its image', async () => {
    write(image, { config: said });
    expect((await ask())?.words).toEqual({});
  });

  it('has no words without the record of its image', async () => {
    rmSync(join(root, image));
    expect(await ask()).toMatchObject({ container: { name: 'shop' }, words: {} });
  });

  it('has no words of its image if containerd keeps the manifest and the config', async () => {
    const blobs = 'containerd/daemon/io.containerd.content.v1.content/blobs/sha256';
    rmSync(join(root, image));
    write(record, { ...config, ImageManifest: { digest: `sha256:${MANIFEST}` } });
    write(`${blobs}/${MANIFEST}`, { config: { digest: `sha256:${IMAGE}` } });
    write(`${blobs}/${IMAGE}`, { config: { Labels: said.Labels } });
    expect((await ask())?.words).toEqual({ profiles: 'own' });
    write(`${blobs}/${MANIFEST}`, { config: { digest: `sha256:${IMAGE}` }, Config: { digest: 'sha256:1' } });
    expect((await ask())?.words).toEqual({});
  });

  it.each([
    ['can be written by others', (path: string) => chmodSync(path, 0o666)],
    [
      'is a folder',
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    ['is too large', (path: string) => writeFileSync(path, ' '.repeat(1024 * 1024 + 1))],
    ['is not UTF-8', (path: string) => writeFileSync(path, Buffer.from([0x22, 0xff, 0x22]))],
    [
      'is a link',
      (path: string) => {
        rmSync(path);
        writeFileSync(join(root, 'elsewhere'), JSON.stringify(config));
        symlinkSync(join(root, 'elsewhere'), path);
      },
    ],
  ])('has neither name nor words when its record %s', async (_what, spoil) => {
    spoil(join(root, record));
    expect(await ask()).toMatchObject({ container: { runtime: 'docker', name: '', record: '' }, words: {} });
  });

  it('is not recognised by mounts of other programs', async () => {
    const mounts = [{ destination: '/etc/hosts', source: '/etc/hosts' }];
    expect(await describedBy(describeDocker, state('/bundle'), spec({ mounts }))).toBe(null);
  });
});

describe('a container of Podman', () => {
  const images = `vfs-images/${IMAGE}`;
  const config = `${images}/${fileOf(`sha256:${IMAGE}`)}`;
  const listed = {
    id: ID,
    names: ['shop'],
    image: IMAGE,
    metadata: JSON.stringify({ 'image-name': 'localhost/bb:1', name: 'shop' }),
  };
  const annotations = { 'io.container.manager': 'libpod', 'dev.porthole.name': 'web', role: 'db' };
  const ask = () =>
    describedBy(
      describePodman,
      state(join(root, `vfs-containers/${ID}/userdata`)),
      spec({ annotations, env: ['PORTHOLE_PROFILES=own'] }),
    );
  beforeEach(() => {
    write(`vfs-containers/${ID}/userdata/config.json`, {});
    write('vfs-containers/containers.json', [{ id: OTHER }, listed]);
    write(`${images}/manifest`, {});
    write(config, {});
  });

  it('is described by the list of containers and its bundle', async () => {
    expect(await ask()).toEqual({
      container: {
        runtime: 'podman',
        id: ID,
        name: 'shop',
        image: 'localhost/bb:1',
        digest: `sha256:${IMAGE}`,
        labels: { 'dev.porthole.name': 'web', role: 'db' },
        owner: '',
        record: join(root, `vfs-containers/${ID}`),
      },
      words: NAME,
    });
  });

  it('is found in the list of containers that do not outlive a reboot', async () => {
    write('vfs-containers/containers.json', []);
    write('vfs-containers/volatile-containers.json', [listed]);
    expect((await ask())?.words).toEqual(NAME);
  });

  it('has no words of its image: neither annotations of the manifest, nor labels, nor variables', async () => {
    write(`${images}/manifest`, { annotations: { 'dev.porthole.name': 'web' } });
    expect((await ask())?.words).toEqual({ profiles: 'own' });
    write(config, { config: { Env: ['PORTHOLE_PROFILES=own'] } });
    expect((await ask())?.words).toEqual({});
  });

  it.each([config, `${images}/manifest`, 'vfs-containers/containers.json'])(
    'has no words without %s',
    async (path) => {
      rmSync(join(root, path));
      expect(await ask()).toMatchObject({ container: { runtime: 'podman', id: ID }, words: {} });
    },
  );

  it('without an image has all words of its operator', async () => {
    write('vfs-containers/containers.json', [{ ...listed, image: '' }]);
    expect(await ask()).toMatchObject({ container: { digest: '' }, words: NAME });
  });

  it('has no words when other users can write its bundle', async () => {
    chmodSync(join(root, `vfs-containers/${ID}/userdata/config.json`), 0o666);
    expect(await ask()).toMatchObject({ container: { name: 'shop' }, words: {} });
  });

  it('has no words in a folder that other users can write', async () => {
    chmodSync(join(root, `vfs-containers/${ID}`), 0o777);
    expect(await ask()).toMatchObject({ container: { name: '', record: '' }, words: {} });
  });
});

describe('a container of runc', () => {
  const given = spec({ annotations: { 'dev.porthole.name': 'web' }, env: ['PORTHOLE_PROFILES=own'] });
  it('has the words of its bundle', async () => {
    write('config.json', {});
    expect(await describedBy(describeOci, state(root), given)).toMatchObject({
      container: { runtime: 'oci', id: ID, name: ID, record: '' },
      words: NAME,
    });
  });

  it('has no words if another user can write the bundle', async () => {
    write('config.json', {});
    chmodSync(root, 0o777);
    expect((await describedBy(describeOci, state(root), given))?.words).toEqual({});
  });

  it('has no words if a program has made its bundle from an image', async () => {
    const bundle = `run/io.containerd.runtime.v2.task/k8s.io/${ID}`;
    write(`${bundle}/config.json`, {});
    expect(await describedBy(describeOci, state(join(root, bundle)), given)).toMatchObject({
      container: { record: join(root, bundle) },
      words: {},
    });
  });
});
