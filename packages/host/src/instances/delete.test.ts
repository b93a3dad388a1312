import { beforeEach, describe, expect, it } from 'vitest';
import type { FakeRoots } from './testing/fake-images.ts';
import { BY, Heart } from './testing/heart.ts';
import { telling } from './testing/test-store.ts';

const BASE = 'f'.repeat(64);

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addImage();
  heart.add('c1', { config: { 'volatile.base_image': BASE } });
  heart.machine.folders.add(1);
  heart.machine.roots.add(`${BASE}-100000`);
});

const remove = async (name = 'c1') => heart.done(heart.host.instances.delete(name, BY));

describe('A deletion', () => {
  it('removes the instance from the store, and its files', async () => {
    await remove();
    expect(heart.store.load().instances.size).toBe(0);
    expect(heart.machine.folders.size).toBe(0);
    expect(heart.told).toEqual(['instance-deleted c1']);
  });

  it('keeps the root while its image or another instance needs it, and then removes it', async () => {
    heart.add('c2', { config: { 'volatile.base_image': BASE } });
    await remove('c2');
    expect(heart.machine.roots.size).toBe(1);
    await heart.done(heart.host.images.delete(BASE, BY));
    expect(heart.machine.roots.size).toBe(1);
    await remove();
    expect(heart.machine.roots.size).toBe(0);
  });

  it('looks at no root but its own, and at that only if nothing else needs it', async () => {
    const roots = heart.parts.roots as FakeRoots;
    heart.add('c2', { config: { 'volatile.base_image': BASE } });
    await remove('c2');
    expect(roots.sweeps).toBe(0);
    heart.model.commit([{ kind: 'delete-image', fingerprint: BASE }]);
    await remove();
    expect(roots.sweeps).toBe(1);
  });

  it('waits for other work on the instance', async () => {
    const held = heart.machine.faults.hold('checkDevice');
    const devices = { mnt: { type: 'disk', source: '/srv', path: '/mnt' } };
    const patched = heart.host.instances.patch('c1', { devices }, BY);
    await held.reached;
    const removed = remove();
    expect(heart.model.hasInstance('c1')).toBe(true);
    held.open();
    await patched;
    await removed;
    expect(heart.told).toEqual(['instance-updated c1', 'instance-deleted c1']);
  });

  it('is done even if the files cannot be removed: they are left to the next start', async () => {
    heart.machine.faults.refuse('remove', new Error('busy'));
    await expect(remove()).rejects.toThrow('busy');
    expect(heart.model.hasInstance('c1')).toBe(false);
    expect(heart.machine.folders.has(1)).toBe(true);
    expect(heart.told).toEqual(['instance-deleted c1']);
  });
});

describe('A deletion on a full disk', () => {
  /** @param helps whether the disk has room again once the files of the instance are gone */
  const fill = (helps: boolean) => {
    heart.store.refuse((changes) => {
      const deletes = changes.some(({ kind }) => kind === 'delete-instance');
      return deletes && !(helps && heart.machine.folders.size === 0);
    });
  };

  it('removes the files of the instance first, to make room', async () => {
    fill(true);
    await remove();
    expect(heart.model.hasInstance('c1')).toBe(false);
    expect(heart.told).toEqual(['instance-deleted c1']);
  });

  it('says that the disk is full if that does not help', async () => {
    fill(false);
    await expect(remove()).rejects.toThrow('The disk that holds the state is full');
    expect(heart.model.hasInstance('c1')).toBe(true);
    expect(heart.told).toEqual([]);
  });

  it('removes no files if the disk fails in another way', async () => {
    heart.store.refuse(telling('instance-deleted'), new Error('I/O error'));
    await expect(remove()).rejects.toThrow('I/O error');
    expect(heart.machine.folders.has(1)).toBe(true);
  });
});

describe('A deletion is refused', () => {
  it('at once while the instance runs', async () => {
    await heart.setState('c1', 'start');
    expect(() => heart.host.instances.delete('c1', BY)).toThrow('Instance is running');
  });

  it('if the instance has been started before the deletion begins', async () => {
    const started = heart.setState('c1', 'start');
    const removed = expect(remove()).rejects.toThrow('Instance is running');
    await started;
    await removed;
    expect(heart.status('c1')).toBe('Running');
  });

  it.each([
    ['its own', false],
    ['a profile’s', true],
  ])('if the instance is protected by %s config', async (_whose, inProfile) => {
    const config = { 'security.protection.delete': 'true' };
    heart.addProfile('safe', { config });
    heart.add('c2', inProfile ? { profiles: ['default', 'safe'] } : { config });
    await expect(remove('c2')).rejects.toThrow('Container is protected');
    expect(heart.model.hasInstance('c2')).toBe(true);
  });

  it('for an instance that has been deleted meanwhile', async () => {
    const first = remove();
    const second = remove();
    await first;
    await expect(second).rejects.toThrow('Instance not found');
    expect(() => heart.host.instances.delete('c1', BY)).toThrow('Instance not found');
    expect(heart.told).toEqual(['instance-deleted c1']);
  });
});
