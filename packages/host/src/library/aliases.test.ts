import { beforeEach, describe, expect, it } from 'vitest';
import { BY, Heart } from '../instances/testing/heart.ts';

const F = 'f'.repeat(64);
const E = 'e'.repeat(64);

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  for (const fingerprint of [F, E]) heart.addImage({ fingerprint });
  await create('tiny', 'ff');
  heart.told.length = 0;
});

async function create(name: string, target: string): Promise<void> {
  await heart.host.images.createAlias({ name, target, description: 'd' }, BY);
}

describe('An alias', () => {
  it('stands for one image, by its full fingerprint', () => {
    expect(heart.host.images.alias('tiny')).toEqual({ name: 'tiny', target: F, description: 'd' });
    expect(heart.host.images.get(F).aliases).toHaveLength(1);
    expect(heart.host.images.get(E).aliases).toEqual([]);
  });

  it('is listed by name', async () => {
    await create('debian/12', E);
    await create('a', F);
    expect(heart.host.images.aliases().map(({ name }) => name)).toEqual(['a', 'debian/12', 'tiny']);
  });

  it('can be moved to another image', async () => {
    await heart.host.images.updateAlias('tiny', { target: 'ee', description: 'new' }, BY);
    expect(heart.host.images.alias('tiny')).toEqual({ name: 'tiny', target: E, description: 'new' });
    expect(heart.told).toEqual(['image-alias-updated tiny']);
    expect(heart.events.at(-1)?.metadata).toMatchObject({ context: { target: E } });
  });

  it('can be renamed', async () => {
    await heart.host.images.renameAlias('tiny', 'small', BY);
    expect(heart.host.images.alias('small').target).toBe(F);
    expect(() => heart.host.images.alias('tiny')).toThrow('Image alias not found');
    expect(heart.told).toEqual(['image-alias-renamed small']);
  });

  it('can be deleted without its image', async () => {
    await heart.host.images.deleteAlias('tiny', BY);
    expect(heart.host.images.aliases()).toEqual([]);
    expect(heart.host.images.get(F).image.fingerprint).toBe(F);
    expect(heart.told).toEqual(['image-alias-deleted tiny']);
  });

  it('is stored for the next daemon', async () => {
    await heart.host.images.renameAlias('tiny', 'small', BY);
    const next = await heart.crash();
    expect(next.host.images.aliases().map(({ name }) => name)).toEqual(['small']);
  });
});

describe('An alias is refused', () => {
  const fail = () => {
    throw new Error('ETag');
  };
  it.each([
    ['that is there', () => create('tiny', F), 'Alias "tiny" already exists'],
    ['without a name', () => create('', F), 'No name provided'],
    ['with a line end in its name', () => create('a\nb', F), 'Invalid alias name'],
    ['of no image', () => create('x', 'aa'), 'Image not found'],
    [
      'for a new image that is none',
      () => heart.host.images.updateAlias('tiny', { target: 'aa', description: '' }, BY),
      'Image not found',
    ],
    [
      'for a new name that is taken',
      () => heart.host.images.renameAlias('tiny', 'tiny', BY),
      'already exists',
    ],
    [
      'for a change when another was seen',
      () => heart.host.images.updateAlias('tiny', { target: F, description: '' }, BY, fail),
      'ETag',
    ],
    [
      'for a change when it is not there',
      () => heart.host.images.updateAlias('no', { target: F, description: '' }, BY),
      'Image alias not found',
    ],
    [
      'for deletion when it is not there',
      () => heart.host.images.deleteAlias('no', BY),
      'Image alias not found',
    ],
  ])('%s', async (_what, act, message) => {
    await expect(act()).rejects.toThrow(message);
    expect(heart.told).toEqual([]);
    expect(heart.host.images.aliases()).toHaveLength(1);
  });
});
