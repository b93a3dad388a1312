import { beforeEach, describe, expect, it } from 'vitest';
import type { NewInstance } from './requests.ts';
import { disk, nic } from './testing/devices.ts';
import { BY, Heart } from './testing/heart.ts';
import { telling, withChange } from './testing/test-store.ts';

const FINGERPRINT = 'f'.repeat(64);

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addImage({ properties: { os: 'busybox', '': 'odd', release: '1' } });
});

const input = (part: Partial<NewInstance> = {}): NewInstance => ({
  name: 'c1',
  description: '',
  architecture: '',
  ephemeral: false,
  profiles: null,
  config: {},
  devices: {},
  source: { type: 'image', fingerprint: FINGERPRINT },
  ...part,
});
const begin = (part: Partial<NewInstance> = {}) => heart.host.instances.create(input(part), BY);
const create = async (part: Partial<NewInstance> = {}) => heart.done(begin(part));

describe('A creation', () => {
  it('makes a stopped instance with its folder and root', async () => {
    const { metadata } = await create();
    const { id, config, architecture, profiles } = heart.get('c1');
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.machine.folders.has(id)).toBe(true);
    expect([...heart.machine.roots]).toEqual([`${FINGERPRINT}-100000`]);
    expect(config).toMatchObject({ 'image.os': 'busybox', 'volatile.base_image': FINGERPRINT });
    expect(config['volatile.uuid']).toMatch(/^0{8}-/);
    expect([architecture, profiles]).toEqual(['x86_64', ['default']]);
    expect(metadata).toEqual({ create_instance_from_image_unpack_progress: 'Unpack: 100%' });
    expect(heart.told).toEqual(['instance-created c1']);
  });

  it('stores when its image was last used', async () => {
    heart.world.clock.pass(1_000);
    await create();
    expect(heart.host.images.get(FINGERPRINT).image.lastUsedAt).toBe('2026-01-01T00:00:01.000Z');
  });

  it.each([
    ['the beginning of a fingerprint', { type: 'image', fingerprint: 'fff' }],
    ['an alias', { type: 'image', alias: 'tiny' }],
  ] as const)('finds its image by %s', async (_how, source) => {
    await heart.host.images.createAlias({ name: 'tiny', target: FINGERPRINT, description: '' }, BY);
    await create({ source });
    expect(heart.get('c1').config['volatile.base_image']).toBe(FINGERPRINT);
  });

  it('works without an image', async () => {
    await create({ source: { type: 'none' } });
    expect(heart.get('c1').config).not.toHaveProperty('volatile.base_image');
    await heart.setState('c1', 'start');
    expect(heart.run('c1').spec.lower).toBe('empty-100000');
  });

  it('has the architecture of its image, else the one that is given', async () => {
    await create({ architecture: 'aarch64' });
    await create({ name: 'c2', architecture: 'arm64', source: { type: 'none' } });
    expect(['c1', 'c2'].map((name) => heart.get(name).architecture)).toEqual(['x86_64', 'aarch64']);
    await expect(create({ name: 'c3', architecture: 'vax', source: { type: 'none' } })).rejects.toThrow(
      "Architecture isn't supported: vax",
    );
  });

  it('takes the profiles of the image if none are given', async () => {
    heart.addProfile('web');
    heart.addImage({ fingerprint: 'e'.repeat(64), profiles: ['default', 'web'] });
    await create({ source: { type: 'image', fingerprint: 'e'.repeat(64) } });
    expect(heart.get('c1').profiles).toEqual(['default', 'web']);
  });

  it('prefers the properties of the image to the given config, as LXD does, and leaves out empty values', async () => {
    await create({ config: { 'image.os': 'mine', 'image.mine': '1', 'image.none': '', 'user.a': '1' } });
    const { config } = heart.get('c1');
    expect(config).toMatchObject({ 'image.os': 'busybox', 'image.mine': '1', 'user.a': '1' });
    expect(config).not.toHaveProperty('image.none');
  });

  it('names the image whose files it has, whatever the given config says', async () => {
    await create({ config: { 'volatile.base_image': 'd'.repeat(64) } });
    expect(heart.get('c1').config).toHaveProperty(['volatile.base_image'], FINGERPRINT);
  });

  it('gives each nic an address', async () => {
    await create({ devices: { eth0: nic(), eth1: nic() } });
    const { config } = heart.get('c1');
    expect(new Set([config['volatile.eth0.hwaddr'], config['volatile.eth1.hwaddr']]).size).toBe(2);
  });

  it('chooses a different name each time if none is given', async () => {
    const names = await Promise.all([create({ name: '' }), create({ name: '' })]);
    const [one, other] = names.map(({ resources }) => resources?.['instances']?.[0]);
    expect(one).toMatch(/^[a-z]+-[a-z]+$/);
    expect(one).not.toBe(other);
    expect(heart.host.instances.list()).toHaveLength(2);
  });

  it('never gives an id twice, not even that of a creation that failed', async () => {
    const again = heart.machine.faults.refuse('create');
    await expect(create({ name: 'a' })).rejects.toThrow();
    again();
    await create({ name: 'b' });
    await heart.done(heart.host.instances.delete('b', BY));
    await create({ name: 'c' });
    expect(heart.get('c').id).toBe(3);
  });
});

describe('A creation that fails', () => {
  it.each(['checkDevice', 'unpack', 'create'])('at %s leaves neither instance nor folder', async (verb) => {
    heart.machine.faults.refuse(verb, new Error('no luck'));
    await expect(create()).rejects.toThrow('no luck');
    expect(heart.model.hasInstance('c1')).toBe(false);
    expect(heart.machine.folders.size).toBe(0);
    expect(heart.told).toEqual([]);
  });

  it.each(['give-instance-id', 'put-instance'] as const)('committing %s leaves no folder', async (kind) => {
    const again = heart.store.refuse(withChange(kind));
    await expect(create()).rejects.toThrow('full');
    expect(heart.machine.folders.size).toBe(0);
    expect(heart.told).toEqual([]);
    again();
    await create();
    expect(heart.told).toEqual(['instance-created c1']);
  });

  it('because its image was deleted meanwhile leaves no folder', async () => {
    const held = heart.machine.faults.hold('create');
    const failed = expect(create()).rejects.toThrow('Image not found');
    await held.reached;
    await heart.done(heart.host.images.delete(FINGERPRINT, BY));
    held.open();
    await failed;
    expect(heart.machine.folders.size).toBe(0);
  });

  it('because its profile was deleted meanwhile leaves no instance', async () => {
    heart.addProfile('web');
    const held = heart.machine.faults.hold('create');
    const failed = expect(create({ profiles: ['default', 'web'] })).rejects.toThrow('Profile not found');
    await held.reached;
    await heart.host.profiles.delete('web', BY);
    held.open();
    await failed;
    expect(heart.model.hasInstance('c1')).toBe(false);
  });

  it('because the daemon died leaves a folder that no instance ever gets', async () => {
    heart.store.dieAt('before', telling('instance-created'));
    void begin();
    await heart.life.ended;
    const next = await heart.crash();
    expect(next.model.hasInstance('c1')).toBe(false);
    expect(heart.machine.folders.has(1)).toBe(true);
    expect(next.model.nextInstanceId()).toBe(2);
  });
});

describe('Two creations of one name', () => {
  it('at the same time: the second fails without effect on the first', async () => {
    const held = heart.machine.faults.hold('create');
    const first = create();
    await held.reached;
    await expect(create()).rejects.toThrow('This "instances" entry already exists');
    held.open();
    await first;
    expect(heart.machine.folders.size).toBe(1);
  });

  it('after a failure: the name is free again', async () => {
    const again = heart.machine.faults.refuse('create');
    await expect(create()).rejects.toThrow();
    again();
    await create();
    await expect(create()).rejects.toThrow('already exists');
  });
});

describe('A creation is refused', () => {
  const atOnce: [string, Partial<NewInstance>, string][] = [
    ['a name that is none', { name: '-x' }, 'Invalid instance name'],
    ['a profile that is not there', { profiles: ['no'] }, 'Requested profile "no" doesn\'t exist'],
    ['an image that is not there', { source: { type: 'image', fingerprint: 'aa' } }, 'Image not found'],
    ['an alias that is not there', { source: { type: 'image', alias: 'no' } }, 'Image alias not found'],
  ];
  it.each(atOnce)('at once for %s', (_what, part, message) => {
    expect(() => begin(part)).toThrow(message);
  });

  const later: [string, Partial<NewInstance>, string][] = [
    ['a key that there is not', { config: { 'no.such': '1' } }, 'Failed creating instance record: '],
    ['such a key without a value', { config: { 'no.such': '' } }, 'Failed creating instance record: '],
    ['a profile twice', { profiles: ['default', 'default'] }, 'Duplicate profile'],
    ['no root disk', { profiles: [] }, 'Failed getting root disk'],
    [
      'two disks at one place',
      { devices: { a: disk('/a'), b: disk('/a') } },
      'Failed creating instance record: ',
    ],
  ];
  it.each(later)('in its operation for %s', async (_what, part, message) => {
    await expect(create(part)).rejects.toThrow(message);
    expect(heart.model.hasInstance('c1')).toBe(false);
  });
});
