import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Looks } from '../looks/looks.ts';
import { describeOfUser } from './describe-user.ts';
import { fileOf } from './podman-image.ts';

const ID = 'a'.repeat(64);
const IMAGE = 'c'.repeat(64);
const UID = 1000;
const SAID = { 'dev.porthole.name': 'web', 'dev.porthole.config.user.a': '1' };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'porthole-test-user-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, json: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(json));
}
const describedAs = (bundle: string, annotations: Record<string, string>) =>
  describeOfUser({ of: 'oci', id: ID, pid: 7, bundle, annotations }, UID, new Looks().asRoot);

describe("A user's container of Podman", () => {
  const containers = 'vfs-containers';
  const images = `vfs-images/${IMAGE}`;
  const ask = () =>
    describedAs(join(root, `${containers}/${ID}/userdata`), { 'io.container.manager': 'libpod', ...SAID });
  beforeEach(() => {
    write(`${containers}/${ID}/userdata/config.json`, {});
    write(`${containers}/containers.json`, [{ id: ID, image: IMAGE, metadata: '{"name":"shop"}' }]);
    write(`${images}/manifest`, {});
    write(`${images}/${fileOf(`sha256:${IMAGE}`)}`, {});
  });

  it('has the words of its user, and the name that Podman knows', async () => {
    expect(await ask()).toMatchObject({
      container: { runtime: 'podman', name: 'shop', owner: '1000', record: join(root, containers, ID) },
      words: { name: 'web', 'config.user.a': '1' },
    });
  });

  it('is not named by its image', async () => {
    write(`${images}/manifest`, { annotations: { 'dev.porthole.name': 'web' } });
    expect((await ask()).words).toEqual({ 'config.user.a': '1' });
  });

  it('has no words if its image cannot be known', async () => {
    rmSync(join(root, images), { recursive: true });
    expect(await ask()).toMatchObject({ container: { name: 'shop' }, words: {} });
  });
});

describe("A user's container of another runtime", () => {
  it('has the words of its bundle, which are those of its user', async () => {
    expect(await describedAs(root, SAID)).toMatchObject({
      container: { runtime: 'oci', name: '', owner: '1000' },
      words: { name: 'web', 'config.user.a': '1' },
    });
  });

  it.each([
    ['that a program has made from an image', '/run/io.containerd.runtime.v2.task/moby/1', {}],
    ['of a manager that is not known', '/b', { 'io.container.manager': 'cri-o' }],
  ])('%s has none', async (_what, bundle, more) => {
    expect((await describedAs(bundle, { ...SAID, ...more })).words).toEqual({});
  });
});

it('LXC containers of users are refused', async () => {
  const subject = { of: 'lxc', id: '/c', name: 'c', pid: 7 } as const;
  await expect(describeOfUser(subject, UID, new Looks().asRoot)).rejects.toThrow('are not adopted');
});
