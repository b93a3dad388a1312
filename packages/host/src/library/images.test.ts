import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Upload } from '../images/upload.ts';
import { BY, Heart } from '../instances/testing/heart.ts';
import { telling } from '../instances/testing/test-store.ts';
import type { UploadOptions } from './requests.ts';

const CONTENT = 'an image';
const FINGERPRINT = createHash('sha256').update(CONTENT).digest('hex');
const F = 'f'.repeat(64);
const G = 'a'.repeat(64);

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
});

const upload = (content = CONTENT): Upload => ({
  kind: 'unified',
  filename: 'i.tar.gz',
  data: Readable.from([Buffer.from(content)]),
});
const options = (part: Partial<UploadOptions> = {}): UploadOptions => ({
  public: false,
  properties: {},
  profiles: null,
  fingerprint: null,
  size: null,
  ...part,
});
const begin = (part: Partial<UploadOptions> = {}, of = upload()) =>
  heart.host.images.import(of, options(part), BY);
const take = async (part: Partial<UploadOptions> = {}, of = upload()) => heart.done(await begin(part, of));
const remove = async (fingerprint: string) => heart.done(heart.host.images.delete(fingerprint, BY));

describe('An import', () => {
  it('stores an image with its files', async () => {
    const { metadata } = await take({ properties: { release: '1' }, public: true });
    expect(metadata).toMatchObject({ fingerprint: FINGERPRINT, size: String(CONTENT.length) });
    expect(heart.host.images.get(FINGERPRINT).image).toMatchObject({
      public: true,
      properties: { os: 'busybox', release: '1' },
      profiles: ['default'],
      uploadedAt: '2026-01-01T00:00:00.000Z',
    });
    expect([...heart.images.stored]).toEqual([FINGERPRINT]);
    expect(heart.told).toEqual([`image-created ${FINGERPRINT}`]);
  });

  it.each([
    [null, `rootfs: ${CONTENT.length} bytes`],
    [CONTENT.length * 2, 'rootfs: 50%'],
  ])('reports its progress (size: %o bytes)', async (size, progress) => {
    const told: unknown[] = [];
    heart.host.subscribe((event) => {
      if (event.type === 'operation') told.push(event.metadata.metadata?.['download_progress']);
    });
    await take({ size });
    expect(told).toContain(progress);
  });

  it('is answered when the upload has been read, while the check goes on', async () => {
    const held = heart.machine.faults.hold('verify');
    const operation = await begin();
    expect(operation.status).toBe('Running');
    expect(heart.host.images.list()).toEqual([]);
    held.open();
    await heart.done(operation);
  });

  it('that is cancelled leaves nothing', async () => {
    const held = heart.machine.faults.hold('verify');
    const { id } = await begin();
    heart.host.operations.cancel(id, BY);
    held.open();
    expect((await heart.host.operations.wait(id, -1)).status).toBe('Cancelled');
    expect(heart.images.stored.size).toBe(0);
    expect(heart.told).toEqual([`operation-cancelled ${id}`]);
  });

  it('of an existing image is refused, and the image stays', async () => {
    await take();
    await expect(take()).rejects.toThrow('Image with same fingerprint already exists');
    expect([...heart.images.stored]).toEqual([FINGERPRINT]);
    expect(heart.images.staged.size).toBe(0);
  });

  it('of one image twice at the same time stores it once', async () => {
    const results = await Promise.allSettled([take(), take()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(heart.host.images.list()).toHaveLength(1);
  });

  it('of other bytes than the given fingerprint says is refused', async () => {
    await expect(take({ fingerprint: F })).rejects.toThrow("Image fingerprint doesn't match");
    expect(heart.host.images.list()).toEqual([]);
  });

  it.each(['verify', 'publish'])('that fails at %s leaves neither files nor a record', async (verb) => {
    heart.machine.faults.refuse(verb, new Error('no luck'));
    await expect(take()).rejects.toThrow('no luck');
    expect([...heart.images.stored, ...heart.images.staged]).toEqual([]);
    expect(heart.told).toEqual([]);
  });

  it('that cannot be stored leaves no files', async () => {
    const again = heart.store.refuse(telling('image-created'));
    await expect(take()).rejects.toThrow('full');
    expect([...heart.images.stored, ...heart.images.staged]).toEqual([]);
    again();
    await take();
    expect(heart.host.images.list()).toHaveLength(1);
  });
});

describe('A deletion of an image', () => {
  it('also removes its aliases and files, and a root that no instance needs', async () => {
    await take();
    await heart.host.images.createAlias({ name: 'tiny', target: FINGERPRINT, description: '' }, BY);
    heart.machine.roots.add(`${FINGERPRINT}-0`);
    await remove(FINGERPRINT.slice(0, 8));
    expect(heart.host.images.aliases()).toEqual([]);
    expect(heart.images.stored.size).toBe(0);
    expect(heart.machine.roots.size).toBe(0);
    expect(heart.told.at(-1)).toBe(`image-deleted ${FINGERPRINT}`);
  });

  it('keeps a root that an instance needs', async () => {
    heart.addImage();
    await heart.addRunning('c1', { config: { 'volatile.base_image': F } });
    await remove(F);
    expect(heart.machine.roots.size).toBe(1);
    await heart.setState('c1', 'restart');
  });

  it('fails if the image has been deleted meanwhile', async () => {
    heart.addImage();
    const [first, second] = [remove(F), remove(F)];
    await first;
    await expect(second).rejects.toThrow('Image not found');
  });

  it('and an import of the same bytes do not overlap', async () => {
    await take();
    const held = heart.machine.faults.hold('removeImage');
    const removed = remove(FINGERPRINT);
    await held.reached;
    const taken = take();
    held.open();
    await Promise.all([removed, taken]);
    expect([...heart.images.stored]).toEqual([FINGERPRINT]);
    expect(heart.host.images.list()).toHaveLength(1);
  });

  it('that cannot be stored leaves image, aliases and files', async () => {
    await take();
    await heart.host.images.createAlias({ name: 'tiny', target: FINGERPRINT, description: '' }, BY);
    heart.store.refuse();
    await expect(remove(FINGERPRINT)).rejects.toThrow('full');
    expect(heart.host.images.get(FINGERPRINT).aliases).toHaveLength(1);
    expect(heart.images.stored.size).toBe(1);
  });
});

describe('An image', () => {
  const fields = { public: true, autoUpdate: false, properties: { a: '1' }, profiles: [], expiresAt: '' };
  beforeEach(() => void heart.addImage());

  it('can be changed by replacing its fields', async () => {
    await heart.host.images.update(F, fields, BY);
    expect(heart.host.images.get(F).image).toMatchObject({ ...fields, size: 10 });
    await heart.host.images.setCached(F, true, BY);
    expect(heart.host.images.get(F).image.cached).toBe(true);
    expect(heart.told).toEqual([`image-updated ${F}`, `image-updated ${F}`]);
  });

  it('is not changed if it is not as the client has seen it', async () => {
    const check = () => {
      throw new Error('ETag');
    };
    await expect(heart.host.images.update(F, fields, BY, check)).rejects.toThrow('ETag');
    expect(heart.host.images.get(F).image.public).toBe(false);
  });

  it.each([
    [['default', 'nope'], "Profile 'nope' doesn't exist"],
    [['default', 'default'], 'Duplicate profile found in request'],
  ])('is not given the profiles %j', async (profiles, why) => {
    await expect(heart.host.images.update(F, { ...fields, profiles }, BY)).rejects.toThrow(why);
    expect(heart.host.images.get(F).image.public).toBe(false);
    await heart.host.images.update(F, { ...fields, profiles: ['default'] }, BY);
  });

  it('may keep the name of a deleted profile', async () => {
    heart.addImage({ fingerprint: G, profiles: ['gone'] });
    await heart.host.images.update(G, { ...fields, profiles: ['gone'] }, BY);
    expect(heart.host.images.get(G).image.public).toBe(true);
  });

  it('is found by an unambiguous prefix of its fingerprint', () => {
    heart.addImage({ fingerprint: `f${'0'.repeat(63)}` });
    expect(heart.host.images.get('ff').image.fingerprint).toBe(F);
    expect(() => heart.host.images.get('f')).toThrow('More than one image matches');
    expect(() => heart.host.images.get('e')).toThrow('Image not found');
  });

  it('is exported with its files, with an event', () => {
    const { paths } = heart.host.images.export('ff', BY);
    expect(paths).toEqual([`${F}.0`]);
    expect(heart.told).toEqual([`image-retrieved ${F}`]);
  });
});
