import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { FakeHost } from '../../client/testing/fake-host.ts';
import { finishedOperation, startFakeHost } from '../../client/testing/fake-host.ts';
import { fakeInstance } from '../testing/fake-instance.ts';
import type { FakeIoOptions } from '../testing/fake-io.ts';
import { runIn } from '../testing/fake-io.ts';

const done = () => ({ operation: finishedOperation() });

let host: FakeHost;
beforeEach(async () => {
  host = await startFakeHost({
    'GET /1.0/images/aliases/busybox': () => ({ metadata: { name: 'busybox', target: 'ab' } }),
    'GET /1.0/images/ab': () => ({ metadata: { fingerprint: 'ab', aliases: [], properties: {} } }),
    'GET /1.0/instances/c1': () => ({ metadata: fakeInstance({ config: { 'user.a': '1' } }) }),
    'PUT /1.0/instances/c1': done,
    'POST /1.0/instances': done,
    'PUT /1.0/images/ab': done,
  });
});
afterEach(() => host.stop());

const porthole = (words: string, options?: FakeIoOptions) =>
  runIn(host.dir, words.split(' ').filter(Boolean), options);

/** The body of the last request of a method, as it was sent. */
const sent = (method: string) =>
  host.received.findLast((one) => one.method === method)?.body.toString() ?? '';

describe('YAML', () => {
  it('without quotes is sent as the same texts; no value unsets a key', async () => {
    const stdin =
      'config:\n  limits.cpu: 2\n  user.a: 1.50\n  user.b:\n  user.c: ~\n' +
      'devices:\n  eth0: {type: nic, mtu: 1400}\nephemeral: yes\nstateful: Off\ndescription: 0x10\nprofiles: [1.0]\n';
    await porthole('config edit c1', { stdin });
    expect(JSON.parse(sent('PUT'))).toEqual({
      config: { 'limits.cpu': '2', 'user.a': '1.50', 'user.b': '', 'user.c': '' },
      devices: { eth0: { type: 'nic', mtu: '1400' } },
      ephemeral: true,
      stateful: false,
      description: '0x10',
      profiles: ['1.0'],
    });
    await porthole('init busybox c1 --config-file -', { stdin: 'config: {limits.cpu: 2, user.v: 1.50}\n' });
    expect(JSON.parse(sent('POST')).config).toEqual({ 'limits.cpu': '2', 'user.v': '1.50' });
    await porthole('image edit busybox', { stdin: 'public: true\nproperties: {release: 12.10}\n' });
    expect(JSON.parse(sent('PUT'))).toEqual({ public: true, properties: { release: '12.10' } });
  });

  it('with something else than a map is refused', async () => {
    for (const stdin of ['', '# nothing\n', '- a\n', 'text\n'])
      expect(await porthole('config edit c1', { stdin })).toMatchObject({
        code: 1,
        stderr: 'Error: That is not a YAML map\n',
      });
    const { code, stderr } = await porthole('init busybox c1 --config-file -', { stdin: 'config: text' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('config is not a map')]);
    expect(sent('POST') + sent('PUT')).toBe('');
  });
});

describe.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('the name %s', (name) => {
  it('is sent like any other: of keys, devices and options', async () => {
    await porthole(`config set c1 ${name}=x`);
    expect(sent('PUT')).toContain(`"config":{"user.a":"1","${name}":"x"}`);
    await porthole(`config device add c1 ${name} nic ${name}=x`);
    expect(sent('PUT')).toContain(`"devices":{"${name}":{"${name}":"x","type":"nic"}}`);
    await porthole('config edit c1', { stdin: `config: {${name}: x}\ndevices: {${name}: {${name}: }}` });
    expect(sent('PUT')).toBe(`{"config":{"${name}":"x"},"devices":{"${name}":{"${name}":""}}}`);
    const device = { [name]: { type: 'disk', path: '/p' } };
    host.routes['GET /1.0/profiles/default'] = () => ({ metadata: { devices: device } });
    await porthole(`init busybox c1 -c ${name}=x -d ${name},source=/s`);
    expect(sent('POST')).toContain(`"devices":{"${name}":{"type":"disk","path":"/p","source":"/s"}}`);
  });

  it('is not there unless it is set', async () => {
    expect(await porthole(`config get c1 ${name}`)).toEqual({ code: 0, stdout: '\n', stderr: '' });
    expect(await porthole(`image get-property busybox ${name}`)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: Property not found\n',
    });
    expect((await porthole(`config device get c1 ${name} type`)).stderr).toBe(
      "Error: Device doesn't exist\n",
    );
    expect((await porthole(`config unset c1 ${name}`)).stderr).toContain("it's not currently set");
    host.routes['GET /1.0/profiles/default'] = () => ({ metadata: { devices: {} } });
    expect((await porthole(`init busybox c1 -d ${name},path=/p`)).stderr).toContain(
      'No profile has a device',
    );
  });
});
