import { beforeEach, describe, expect, it } from 'vitest';
import { Heart } from './testing/heart.ts';

const ALLOWED = { 'security.devlxd.guest_config': 'true' };

let heart: Heart;
let id: number;
beforeEach(async () => {
  heart = await Heart.begin();
  ({ id } = await heart.addRunning('c1', { config: ALLOWED }));
  heart.told.length = 0;
});

const change = (config: Record<string, string>) => {
  const instance = heart.get('c1');
  heart.model.commit([
    { kind: 'put-instance', instance: { ...instance, config: { ...instance.config, ...config } } },
  ]);
};

/** Writes so many keys at once. */
const writeKeys = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => heart.guest.writeKey(id, `guest.k${i}`, 'x')));

describe('An instance says that it is ready', () => {
  it('which is stored and told as its own doing', async () => {
    expect(await heart.guest.setReady(id, true)).toBe('stored');
    expect(heart.status('c1')).toBe('Ready');
    expect(heart.store.load().instances.get(id)?.config['volatile.last_state.ready']).toBe('true');
    expect(heart.told).toEqual(['instance-ready c1']);
  });

  it('and again: that is told again, and changes nothing', async () => {
    await heart.guest.setReady(id, true);
    const before = heart.get('c1');
    await heart.guest.setReady(id, true);
    expect(heart.get('c1')).toBe(before);
    expect(heart.told).toEqual(['instance-ready c1', 'instance-ready c1']);
  });

  it('and takes it back, which nobody is told', async () => {
    await heart.guest.setReady(id, true);
    await heart.guest.setReady(id, false);
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual(['instance-ready c1']);
  });

  it('and a view has it before anybody is told', async () => {
    const seen: (boolean | undefined)[] = [];
    heart.host.subscribe(() => seen.push(heart.model.view(id)?.ready));
    await heart.guest.setReady(id, true);
    expect(seen).toEqual([true]);
  });
});

describe('An instance writes a key of its own', () => {
  it('and reads it in its view', async () => {
    const heard = heart.listen('c1');
    expect(await heart.guest.writeKey(id, 'guest.a', '1')).toBe('stored');
    expect(heart.model.view(id)?.config.get('guest.a')).toBe('1');
    expect(heard).toEqual([{ type: 'config', key: 'guest.a', old_value: '', value: '1' }]);
    expect(heart.told).toEqual(['instance-updated c1']);
  });

  it('and takes it away', async () => {
    await heart.guest.writeKey(id, 'guest.a', '1');
    const heard = heart.listen('c1');
    await heart.guest.writeKey(id, 'guest.a', null);
    expect(heart.get('c1').config).not.toHaveProperty('guest.a');
    expect(heard).toEqual([{ type: 'config', key: 'guest.a', old_value: '1', value: '' }]);
  });

  it.each([
    ['the value that it has', '1'],
    ['nothing in place of nothing', null],
  ])('%s: stored, and no event', async (_what, value) => {
    if (value !== null) await heart.guest.writeKey(id, 'guest.a', value);
    heart.told.length = 0;
    expect(await heart.guest.writeKey(id, 'guest.a', value)).toBe('stored');
    expect(heart.told).toEqual([]);
  });

  it('until it has as many as it may, and may still change those', async () => {
    await writeKeys(64);
    expect(await heart.guest.writeKey(id, 'guest.more', 'x')).toBe('too-many-keys');
    expect(await heart.guest.writeKey(id, 'guest.k0', 'y')).toBe('stored');
    expect(await heart.guest.writeKey(id, 'guest.k1', null)).toBe('stored');
    expect(await heart.guest.writeKey(id, 'guest.more', 'x')).toBe('stored');
  });

  it('of two at a time, as many as it may', async () => {
    await writeKeys(63);
    const both = ['guest.y', 'guest.z'].map((key) => heart.guest.writeKey(id, key, 'x'));
    expect(await Promise.all(both)).toEqual(['stored', 'too-many-keys']);
  });

  it('and never another one, whatever the edge lets through', async () => {
    await expect(heart.guest.writeKey(id, 'security.privileged', 'true')).rejects.toThrow('may not write');
    expect(heart.get('c1').config).not.toHaveProperty('security.privileged');
  });

  it.each([{ 'security.devlxd.guest_config': 'false' }, { 'security.devlxd': 'false' }])(
    'but not once the operator has said no: %o',
    async (config) => {
      const written = heart.guest.writeKey(id, 'guest.a', '1');
      change(config);
      expect(await written).toBe('forbidden');
      expect(heart.get('c1').config).not.toHaveProperty('guest.a');
    },
  );
});

describe('What a run writes', () => {
  it('is not stored once that run is over', async () => {
    const written = heart.guest.writeKey(id, 'guest.a', '1');
    const noted = expect(written).rejects.toThrow('the run that has written this is over');
    heart.run('c1').end('stop');
    await noted;
    expect(heart.get('c1').config).not.toHaveProperty('guest.a');
  });

  it('is answered with a failure when the disk is full, and nothing is seen of it', async () => {
    heart.store.refuse();
    await expect(heart.guest.writeKey(id, 'guest.a', '1')).rejects.toThrow('full');
    expect(heart.model.view(id)?.config.has('guest.a')).toBe(false);
    expect(heart.told).toEqual([]);
  });
});

describe('What an instance sees', () => {
  it('is its view, of this run only', async () => {
    const caller = heart.guest.identify(id);
    if (!('runNumber' in caller)) throw new Error('it is not recognised');
    expect(heart.guest.view(id, caller.runNumber)?.name).toBe('c1');
    expect(heart.guest.view(id, caller.runNumber + 1)).toBeUndefined();
    await heart.setState('c1', 'restart');
    expect(heart.guest.view(id, caller.runNumber)).toBeUndefined();
  });

  it('that it takes an image is told as its own doing', async () => {
    await heart.guest.imageRetrieved(id, 'f'.repeat(64));
    expect(heart.told).toEqual([`image-retrieved ${'f'.repeat(64)}`]);
    const span = heart.guest.journalSpan(id);
    expect(span.newest).toBeGreaterThan(span.oldest);
  });
});
