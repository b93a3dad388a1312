import { beforeEach, describe, expect, it } from 'vitest';
import { disk, nic } from './testing/devices.ts';
import { BY, Heart } from './testing/heart.ts';
import { LIVE_FACTS } from './testing/live-facts.ts';

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addProfile('web', { config: { 'user.role': 'web', 'user.x': 'p' }, devices: { srv: disk('/srv') } });
  heart.add('c2');
  heart.add('c1', { profiles: ['default', 'web'], config: { 'user.x': 'own' }, devices: { eth0: nic() } });
});
const fail = (): never => {
  throw new Error('ETag');
};

describe('The list of instances', () => {
  it('is sorted by name, and has expanded config and devices', () => {
    const [c1, c2] = heart.host.instances.list();
    expect([c1?.instance.name, c2?.instance.name]).toEqual(['c1', 'c2']);
    expect(c1?.expandedConfig).toMatchObject({ 'user.role': 'web', 'user.x': 'own' });
    expect(Object.keys(c1?.expandedDevices ?? {}).sort()).toEqual(['eth0', 'root', 'srv']);
    expect(c1?.instance.devices).toEqual({ eth0: nic() });
  });
});

describe('The live state of an instance', () => {
  it('is empty while it is stopped, and comes from its runtime while it runs', async () => {
    expect(await heart.host.instances.live('c1')).toMatchObject({ status: 'Stopped', pid: 0, network: null });
    await heart.setState('c1', 'start');
    const { pid } = heart.run('c1');
    expect(await heart.host.instances.live('c1')).toEqual({ ...LIVE_FACTS, status: 'Running', pid });
  });
});

describe('An update', () => {
  const fields = () => ({
    ...heart.get('c1'),
    architecture: '',
    description: 'new',
    config: { 'user.y': '1' },
  });

  it('replaces all fields, but keeps the architecture if none is given', async () => {
    await heart.done(heart.host.instances.update('c1', fields(), BY));
    const { architecture, description, config } = heart.get('c1');
    expect([architecture, description]).toEqual(['x86_64', 'new']);
    expect(config['user.y']).toBe('1');
    expect(config).not.toHaveProperty('user.x');
    expect(heart.told).toEqual(['instance-updated c1']);
  });

  it('takes every name of its architecture, and refuses another architecture', async () => {
    const { instances } = heart.host;
    await heart.done(instances.update('c1', { ...fields(), architecture: 'amd64' }, BY));
    await instances.patch('c1', { architecture: 'x64' }, BY);
    expect(heart.get('c1').architecture).toBe('x86_64');
    for (const architecture of ['arm64', 'vax'])
      await expect(instances.patch('c1', { architecture }, BY)).rejects.toThrow(
        'cannot change: it is x86_64',
      );
  });

  it.each([
    ['given', undefined],
    ['current', 'mine'],
  ] as const)('takes the guest keys that its check asks for: %s', async (whose, left) => {
    await heart.host.instances.patch('c1', { config: { 'security.devlxd.guest_config': 'true' } }, BY);
    heart.model.commit([
      {
        kind: 'put-instance',
        instance: { ...heart.get('c1'), config: { ...heart.get('c1').config, 'guest.a': 'mine' } },
      },
    ]);
    const config = { 'security.devlxd.guest_config': 'true' };
    await heart.done(heart.host.instances.update('c1', { ...fields(), config }, BY, () => whose));
    expect(heart.get('c1').config['guest.a']).toBe(left);
  });

  it('is refused if the instance is not as the client has seen it', async () => {
    await expect(heart.done(heart.host.instances.update('c1', fields(), BY, fail))).rejects.toThrow('ETag');
    expect(heart.get('c1').description).toBe('');
  });

  it('sees the changes of those before it in the queue', async () => {
    const seen: string[] = [];
    const check = ({ description }: { description: string }) => void seen.push(description);
    await Promise.all(
      ['a', 'b', 'c'].map((description) => heart.host.instances.patch('c1', { description }, BY, check)),
    );
    expect(seen).toEqual(['', 'a', 'b']);
  });
});

describe('A patch', () => {
  it('changes what it names, and removes what it sets to null', async () => {
    const part = { config: { 'user.x': null, 'user.y': '1' }, devices: { eth0: null, mnt: disk('/mnt') } };
    await heart.host.instances.patch('c1', part, BY);
    const { config, devices, profiles } = heart.get('c1');
    expect(config['user.y']).toBe('1');
    expect(config).not.toHaveProperty('user.x');
    expect(devices).toEqual({ mnt: disk('/mnt') });
    expect(profiles).toEqual(['default', 'web']);
  });

  it.each([
    [{ description: 'new' }, { description: 'new' }],
    [{ ephemeral: true }, { ephemeral: true }],
    [{ profiles: ['default'] }, { profiles: ['default'] }],
  ])('of one field leaves the others: %o', async (part, expected) => {
    const before = heart.get('c1');
    await heart.host.instances.patch('c1', part, BY);
    const after = heart.get('c1');
    expect(after).toMatchObject(expected);
    expect({ ...after, ...part, config: 0 }).toEqual({ ...before, ...part, config: 0 });
  });

  it('is refused if the instance is not as the client has seen it', async () => {
    await expect(heart.host.instances.patch('c1', { description: 'x' }, BY, fail)).rejects.toThrow('ETag');
  });
});

describe('A rename', () => {
  const rename = async (from: string, to: string) => heart.done(heart.host.instances.rename(from, to, BY));

  it('keeps the instance, and makes cloud-init run again', async () => {
    const { id } = heart.get('c1');
    await rename('c1', 'new');
    expect(heart.get('new').id).toBe(id);
    expect(heart.get('new').config['volatile.cloud-init.instance-id']).toMatch(/^0{8}-/);
    const [event] = heart.events.filter(({ type }) => type === 'lifecycle');
    expect(event?.metadata).toMatchObject({
      action: 'instance-renamed',
      source: '/1.0/instances/new',
      context: { old_name: 'c1' },
    });
  });

  it.each([
    ['to a name that is taken', 'c2', 'already in use'],
    ['to a name that is none', '-x', 'Invalid instance name'],
  ])('is refused at once %s', (_what, to, message) => {
    expect(() => heart.host.instances.rename('c1', to, BY)).toThrow(message);
  });

  it('is refused while the instance runs', async () => {
    await heart.setState('c1', 'start');
    await expect(rename('c1', 'new')).rejects.toThrow('Renaming of running container not allowed');
  });

  it('of two instances to one name succeeds once', async () => {
    const results = await Promise.allSettled([rename('c1', 'new'), rename('c2', 'new')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(heart.get('new').id).toBe(2);
    expect(heart.model.hasInstance('c2')).toBe(true);
  });
});

describe('The log of an instance', () => {
  it('is where its runtime keeps it, and reading it makes an event', () => {
    heart.runtime.logPath = (id) => `/log/${id}`;
    expect(heart.host.instances.log('c1', BY)).toBe('/log/2');
    expect(heart.told).toEqual(['instance-log-retrieved c1']);
  });

  it('is not found if its runtime keeps none', () => {
    expect(() => heart.host.instances.log('c1', BY)).toThrow('Not Found');
    expect(heart.told).toEqual([]);
  });
});

describe('An instance that does not exist', () => {
  const { instances } = { instances: () => heart.host.instances };
  it.each([
    ['get', () => instances().get('no')],
    ['patch', () => instances().patch('no', {}, BY)],
    ['update', () => instances().update('no', heart.get('c1'), BY)],
    ['delete', () => instances().delete('no', BY)],
    ['rename', () => instances().rename('no', 'new', BY)],
    ['log', () => instances().log('no', BY)],
  ])('is not found: %s', (_what, act) => {
    expect(act).toThrow('Instance not found');
  });
});
