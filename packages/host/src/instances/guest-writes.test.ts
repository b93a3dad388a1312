import { beforeEach, describe, expect, it } from 'vitest';
import { sharedWeight } from './guest-writes.ts';
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

/** Writes `count` keys at once. */
const writeKeys = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => heart.guest.writeKey(id, `guest.k${i}`, 'x')));

describe('An instance that reports that it is ready', () => {
  it('is stored as ready, with an event', async () => {
    expect(await heart.guest.setReady(id, true)).toBe('stored');
    expect(heart.status('c1')).toBe('Ready');
    expect(heart.store.load().instances.get(id)?.config['volatile.last_state.ready']).toBe('true');
    expect(heart.told).toEqual(['instance-ready c1']);
  });

  it('again gets another event, and nothing changes', async () => {
    await heart.guest.setReady(id, true);
    const before = heart.get('c1');
    await heart.guest.setReady(id, true);
    expect(heart.get('c1')).toBe(before);
    expect(heart.told).toEqual(['instance-ready c1', 'instance-ready c1']);
  });

  it('and takes it back gets no event for that', async () => {
    await heart.guest.setReady(id, true);
    await heart.guest.setReady(id, false);
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual(['instance-ready c1']);
  });

  it('is ready in its view before the event is published', async () => {
    const seen: (boolean | undefined)[] = [];
    heart.host.subscribe(() => seen.push(heart.model.view(id)?.ready));
    await heart.guest.setReady(id, true);
    expect(seen).toEqual([true]);
  });
});

describe('An instance that writes a guest key', () => {
  it('sees it in its view', async () => {
    const heard = heart.listen('c1');
    expect(await heart.guest.writeKey(id, 'guest.a', '1')).toBe('stored');
    expect(heart.model.view(id)?.config.get('guest.a')).toBe('1');
    expect(heard).toEqual([{ type: 'config', key: 'guest.a', old_value: '', value: '1' }]);
    expect(heart.told).toEqual(['instance-updated c1']);
  });

  it('can remove it', async () => {
    await heart.guest.writeKey(id, 'guest.a', '1');
    const heard = heart.listen('c1');
    await heart.guest.writeKey(id, 'guest.a', null);
    expect(heart.get('c1').config).not.toHaveProperty('guest.a');
    expect(heard).toEqual([{ type: 'config', key: 'guest.a', old_value: '1', value: '' }]);
  });

  it.each([
    ['the value that it has', '1'],
    ['nothing in place of nothing', null],
  ])('with no change (%s) gets success and no event', async (_what, value) => {
    if (value !== null) await heart.guest.writeKey(id, 'guest.a', value);
    heart.told.length = 0;
    expect(await heart.guest.writeKey(id, 'guest.a', value)).toBe('stored');
    expect(heart.told).toEqual([]);
  });

  it('can have up to the limit, and can still change those', async () => {
    await writeKeys(64);
    expect(await heart.guest.writeKey(id, 'guest.more', 'x')).toBe('too-many-keys');
    expect(await heart.guest.writeKey(id, 'guest.k0', 'y')).toBe('stored');
    expect(await heart.guest.writeKey(id, 'guest.k1', null)).toBe('stored');
    expect(await heart.guest.writeKey(id, 'guest.more', 'x')).toBe('stored');
  });

  it('cannot exceed the limit with two writes at the same time', async () => {
    await writeKeys(63);
    const both = ['guest.y', 'guest.z'].map((key) => heart.guest.writeKey(id, key, 'x'));
    expect(await Promise.all(both)).toEqual(['stored', 'too-many-keys']);
  });

  it('can never write another key, even if the guest API lets the write through', async () => {
    await expect(heart.guest.writeKey(id, 'security.privileged', 'true')).rejects.toThrow('may not write');
    expect(heart.get('c1').config).not.toHaveProperty('security.privileged');
  });

  it.each([{ 'security.devlxd.guest_config': 'false' }, { 'security.devlxd': 'false' }])(
    'is refused if the operator has forbidden it meanwhile: %o',
    async (config) => {
      const written = heart.guest.writeKey(id, 'guest.a', '1');
      change(config);
      expect(await written).toBe('forbidden');
      expect(heart.get('c1').config).not.toHaveProperty('guest.a');
    },
  );
});

describe('A write of a run', () => {
  it('is not stored if the run has ended meanwhile', async () => {
    const written = heart.guest.writeKey(id, 'guest.a', '1');
    const noted = expect(written).rejects.toThrow('the run that has written this is over');
    heart.run('c1').end('stop');
    await noted;
    expect(heart.get('c1').config).not.toHaveProperty('guest.a');
  });

  it('fails if the disk is full, and then changes no view', async () => {
    heart.store.refuse();
    await expect(heart.guest.writeKey(id, 'guest.a', '1')).rejects.toThrow('full');
    expect(heart.model.view(id)?.config.has('guest.a')).toBe(false);
    expect(heart.told).toEqual([]);
  });
});

describe('A run', () => {
  it('has the view of its instance only while it lasts', async () => {
    const caller = heart.guest.identify(id);
    if (!('runNumber' in caller)) throw new Error('it is not recognised');
    expect(heart.guest.view(id, caller.runNumber)?.name).toBe('c1');
    expect(heart.guest.view(id, caller.runNumber + 1)).toBeUndefined();
    await heart.setState('c1', 'restart');
    expect(heart.guest.view(id, caller.runNumber)).toBeUndefined();
  });

  it('that retrieves an image makes an event of the host', async () => {
    await heart.guest.imageRetrieved(id, 'f'.repeat(64));
    expect(heart.told).toEqual([`image-retrieved ${'f'.repeat(64)}`]);
    const span = heart.guest.journalSpan(id);
    expect(span.newest).toBeGreaterThan(span.oldest);
  });
});

it('The weight of a write grows with the config, whose bytes are counted once', () => {
  let reads = 0;
  const config = {
    'user.small': 'x',
    get 'user.large'() {
      reads++;
      return 'x'.repeat(20 * 1024);
    },
  };
  expect([sharedWeight({ config }), sharedWeight({ config }), reads]).toEqual([3, 3, 1]);
});
