import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { parse, stringify } from 'yaml';
import { LxcClient } from '../harness/lxc.ts';
import { ask } from '../harness/raw.ts';

let lxc: LxcClient;

beforeAll(async () => {
  lxc = await LxcClient.start();
  await lxc.must('launch', 'busybox', 'c1');
});

afterAll(() => lxc?.destroy());

const inside = (script: string) => lxc.must('exec', 'c1', '--', 'sh', '-c', script);

describe('config', () => {
  it('sets several keys at once, gets and unsets them', async () => {
    await lxc.must('config', 'set', 'c1', 'user.foo=bar', 'user.xyz=bar %s bar');
    expect(await lxc.must('config', 'get', 'c1', 'user.xyz')).toBe('bar %s bar\n');
    expect(await inside('devlxd /1.0/config/user.xyz')).toBe('bar %s bar');
    await lxc.must('config', 'set', 'c1', 'user.foo', 'old way');
    expect(await lxc.must('config', 'get', 'c1', 'user.foo')).toBe('old way\n');
    await lxc.must('config', 'unset', 'c1', 'user.foo');
    expect(await lxc.must('config', 'get', 'c1', 'user.foo')).toBe('\n');
    expect(await lxc.refusal('config', 'unset', 'c1', 'user.foo')).toMatch('not currently set');
  });

  it('shows and edits the whole config', async () => {
    await lxc.must('profile', 'set', 'default', 'user.shared=1');
    const own = parse(await lxc.must('config', 'show', 'c1'));
    const all = parse(await lxc.must('config', 'show', 'c1', '--expanded'));
    expect([own.config['user.shared'], all.config['user.shared']]).toEqual([undefined, '1']);
    own.config['user.edited'] = 'yes';
    own.description = 'edited';
    expect(await lxc.feed(stringify(own), 'config', 'edit', 'c1')).toMatchObject({ ok: true });
    expect(parse(await lxc.must('config', 'show', 'c1'))).toMatchObject({
      description: 'edited',
      config: { 'user.edited': 'yes' },
    });
    await lxc.must('profile', 'unset', 'default', 'user.shared');
  });

  it.each([
    [['nonsense=1'], 'Invalid config: Unknown configuration key: nonsense'],
    [['security.nesting=maybe'], /^Invalid config: .*Invalid value for a boolean "maybe"$/],
    [['limits.memory=0'], /^Invalid config: .*Memory limit can't be 0$/],
  ])('refuses %j, and changes nothing', async (keys, text) => {
    const before = await lxc.must('config', 'show', 'c1');
    const refusal = await lxc.refusal('config', 'set', 'c1', 'user.with=it', ...keys);
    expect(refusal).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
    expect(await lxc.must('config', 'show', 'c1')).toBe(before);
  });

  it('refuses an edit of a config that has changed meanwhile', async () => {
    const target = '/1.0/instances/c1';
    const { etag, text } = await ask(lxc.daemon, 'GET', target);
    const fields = JSON.stringify((JSON.parse(text) as { metadata: unknown }).metadata);
    await lxc.must('config', 'set', 'c1', 'user.meanwhile=1');
    const late = await ask(lxc.daemon, 'PUT', target, fields, { 'if-match': etag });
    expect(late.status).toBe(412);
    expect(late.text).toMatch("ETag doesn't match");
    expect(await lxc.must('config', 'get', 'c1', 'user.meanwhile')).toBe('1\n');
  });
});

describe('devices', () => {
  const device = (verb: string, ...args: string[]) => lxc.must('config', 'device', verb, 'c1', ...args);

  it('are added, changed and removed while the instance runs', async () => {
    await device('add', 'docs', 'disk', `source=${lxc.folder}`, 'path=/mnt/docs');
    expect(await inside('ls /mnt/docs')).toBe('conf\n');
    expect(await device('list')).toBe('docs\n');
    expect(parse(await device('show'))).toEqual({
      docs: { path: '/mnt/docs', source: lxc.folder, type: 'disk' },
    });
    expect(await device('get', 'docs', 'path')).toBe('/mnt/docs\n');
    await device('set', 'docs', 'path=/mnt/other');
    expect(await inside('ls /mnt/other')).toBe('conf\n');
    await device('set', 'docs', 'readonly=true');
    await device('unset', 'docs', 'readonly');
    await device('remove', 'docs');
    expect(await inside('ls /mnt')).toBe('');
  });

  it('of a profile can be overridden', async () => {
    await lxc.must('profile', 'device', 'add', 'default', 'd', 'disk', `source=${lxc.folder}`, 'path=/mnt/d');
    expect(await lxc.refusal('config', 'device', 'remove', 'c1', 'd')).toMatch('Device from profile');
    await device('override', 'd', 'path=/mnt/own');
    expect(await inside('ls /mnt')).toBe('own\n');
    await device('remove', 'd');
    await lxc.must('profile', 'device', 'remove', 'default', 'd');
    expect(await inside('ls /mnt')).toBe('');
  });

  it('that are invalid are refused', async () => {
    const add = (...args: string[]) => lxc.refusal('config', 'device', 'add', 'c1', ...args);
    expect(await add('x', 'nonsense')).toMatch('Unsupported device type');
    expect(await add('x', 'disk', 'path=/x')).toMatch('Disk entry is missing the required "source"');
    expect(await add('x', 'disk', 'source=/nowhere/x', 'path=/x')).toMatch(
      'Missing source path "/nowhere/x" for disk "x"',
    );
    expect(await lxc.refusal('config', 'device', 'remove', 'c1', 'x')).toMatch("doesn't exist");
    expect((await device('list')).trim()).toBe('');
  });
});

describe('profiles', () => {
  const profile = (verb: string, ...args: string[]) => lxc.must('profile', verb, ...args);

  it('are created, shown, edited, copied, renamed and deleted', async () => {
    await profile('create', 'p1');
    await profile('set', 'p1', 'user.a=1', 'user.b=2');
    await profile('unset', 'p1', 'user.a');
    expect(await profile('get', 'p1', 'user.b')).toBe('2\n');
    const shown = parse(await profile('show', 'p1'));
    expect(shown).toMatchObject({ name: 'p1', config: { 'user.b': '2' }, devices: {}, used_by: [] });
    expect((await lxc.feed('description: new\nconfig: {}\n', 'profile', 'edit', 'p1')).ok).toBe(true);
    expect(parse(await profile('show', 'p1'))).toMatchObject({ description: 'new', config: {} });
    await profile('copy', 'p1', 'p2');
    await profile('rename', 'p2', 'p3');
    expect(
      JSON.parse(await profile('list', '-f', 'json')).map((each: { name: string }) => each.name),
    ).toEqual(['default', 'p1', 'p3']);
    await profile('delete', 'p1');
    await profile('delete', 'p3');
    expect(await lxc.refusal('profile', 'show', 'p1')).toBe('Profile not found');
  });

  it('have devices', async () => {
    await profile('create', 'p1');
    await profile('device', 'add', 'p1', 'eth1', 'nic', 'nictype=p2p');
    await profile('device', 'set', 'p1', 'eth1', 'mtu=1400');
    expect(await profile('device', 'get', 'p1', 'eth1', 'mtu')).toBe('1400\n');
    await profile('device', 'unset', 'p1', 'eth1', 'mtu');
    expect(await profile('device', 'list', 'p1')).toBe('eth1\n');
    expect(parse(await profile('device', 'show', 'p1'))).toEqual({ eth1: { nictype: 'p2p', type: 'nic' } });
    await profile('device', 'remove', 'p1', 'eth1');
    await profile('delete', 'p1');
  });

  it('take effect in instances, at once in running ones', async () => {
    await profile('create', 'p1');
    await profile('set', 'p1', 'user.from=p1');
    await profile('add', 'c1', 'p1');
    expect(await inside('devlxd /1.0/config/user.from')).toBe('p1');
    await profile('set', 'p1', 'user.from=changed');
    expect(await inside('devlxd /1.0/config/user.from')).toBe('changed');
    expect(await lxc.refusal('profile', 'delete', 'p1')).toBe('Profile is currently in use');
    expect(await lxc.refusal('profile', 'add', 'c1', 'none')).toBe('Profile not found');
    await profile('remove', 'c1', 'p1');
    await profile('assign', 'c1', 'default,p1');
    await profile('assign', 'c1', 'default');
    await profile('delete', 'p1');
    expect(await lxc.refusal('profile', 'delete', 'default')).toMatch('cannot be deleted');
    expect(await lxc.refusal('profile', 'create', 'a/b')).toMatch('may not contain slashes');
  });
});
