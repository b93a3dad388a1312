import { describe, expect, it } from 'vitest';
import { type Container, withContainer } from '../core/container.ts';
import type { Instance } from '../core/entities.ts';
import { claimOf, continuedBy } from './claim.ts';

const WEB: Container = {
  ...{
    runtime: 'podman',
    id: 'a'.repeat(64),
    name: 'web',
    image: '',
    digest: '',
    labels: {},
    owner: '',
    record: '',
  },
};
const instanceOf = (name: string, container: Container | null): Instance => ({
  ...{ id: 1, name, architecture: 'x86_64', description: '', ephemeral: false, profiles: [], devices: {} },
  ...{ config: withContainer({}, container), createdAt: '', lastStartedAt: '' },
});
const claim = (container: Container, words = {}) => claimOf({ container, words });

describe('The claim of a container', () => {
  it('has the words of the operator', () => {
    const words = { name: 'front', profiles: 'a, b', ephemeral: 'true', 'config.user.role': 'x' };
    expect(claim(WEB, words)).toEqual({
      name: 'front',
      profiles: ['a', 'b'],
      ephemeral: true,
      config: { 'user.role': 'x' },
    });
  });

  it('has the default profile without a word, and no profile if the word is empty', () => {
    expect(claim(WEB).profiles).toBeNull();
    expect(claim(WEB, { profiles: '' }).profiles).toEqual([]);
  });

  it.each([
    ['web', 'web'],
    ['my_web.1', 'my-web-1'],
    ['1st', 'c1st'],
    ['_x_', 'x'],
    ['', `${'a'.repeat(12)}`],
    ['n'.repeat(80), 'n'.repeat(63)],
  ])('has a name that an instance can have: %s becomes %s', (name, expected) => {
    expect(claim({ ...WEB, name }).name).toBe(expected);
  });
});

describe('A container continues', () => {
  it('the instance that it was before, also after a rename', () => {
    const instance = instanceOf('renamed', WEB);
    expect(continuedBy(WEB, claim(WEB), [instance])).toBe(instance);
  });

  it('the instance of an earlier container with its name', () => {
    const instance = instanceOf('web', WEB);
    const again = { ...WEB, id: 'b'.repeat(64) };
    expect(continuedBy(again, claim(again), [instance])).toBe(instance);
  });

  it('no instance if its name is free', () => {
    expect(continuedBy(WEB, claim(WEB), [instanceOf('other', { ...WEB, id: 'c' })])).toBeNull();
  });
});

describe('A container cannot take the instance', () => {
  const thief = { ...WEB, id: 'd'.repeat(64), name: 'thief' };
  it.each([
    ['of a container with another name, by a word', instanceOf('web', WEB), 'container web of podman'],
    ['of a container of another runtime', instanceOf('web', { ...WEB, runtime: 'docker' }), 'of docker'],
    ['that Porthole runs itself', instanceOf('web', null), 'another instance'],
    ['of a container without a name', instanceOf('web', { ...WEB, name: '' }), 'aaaa'],
  ])('%s', (_what, instance, why) => {
    expect(() => continuedBy(thief, claim(thief, { name: 'web' }), [instance])).toThrow(why);
  });
});
