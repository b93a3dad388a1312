import { describe, expect, test as it } from 'vitest';
import { parseEventTypes } from './event.ts';
import { parseExec, parseExecControl } from './exec.ts';
import { parseNewAlias, parseUploadHeaders } from './image.ts';
import {
  parseInstanceFields,
  parseInstancePatch,
  parseInstanceRename,
  parseNewInstance,
  parseStateRequest,
  parseStatesRequest,
} from './instance.ts';
import { parseProfileFields, parseProfilePatch } from './profile.ts';
import { parseServerConfig } from './server.ts';

describe('a new instance', () => {
  const image = { type: 'image', fingerprint: 'ab' };

  it('is read in the form that LXD’s client sends', () => {
    const body = {
      name: 'c1',
      type: 'container',
      architecture: '',
      config: { 'user.a': 'b' },
      devices: {},
      ephemeral: false,
      profiles: null,
      stateful: false,
      description: '',
      instance_type: '',
      source: { type: 'image', certificate: '', fingerprint: 'ab', allow_inconsistent: false },
    };
    expect(parseNewInstance(body)).toEqual({
      name: 'c1',
      architecture: '',
      config: { 'user.a': 'b' },
      devices: {},
      ephemeral: false,
      profiles: null,
      description: '',
      source: { type: 'image', fingerprint: 'ab' },
    });
  });

  it('distinguishes an empty list of profiles from an unset one', () => {
    expect(parseNewInstance({ source: image, profiles: [] }).profiles).toEqual([]);
    expect(parseNewInstance({ source: image }).profiles).toBeNull();
  });

  it('may name an image by alias, or no source', () => {
    expect(parseNewInstance({ source: { type: 'image', alias: 'bb' } }).source).toEqual({
      type: 'image',
      alias: 'bb',
    });
    expect(parseNewInstance({ source: { type: 'none' } }).source).toEqual({ type: 'none' });
  });

  it('may name a process that another runtime has started', () => {
    const source = { type: 'adopt', pid: 4242 };
    expect(parseNewInstance({ source }).source).toEqual(source);
    for (const pid of [0, -1, 1.5, '1', null]) {
      expect(() => parseNewInstance({ source: { type: 'adopt', pid } })).toThrow(/^source\.pid: /);
    }
  });

  it.each([
    [
      { source: { type: 'copy' } },
      'Instances are made from images only, not from other instances or backups',
    ],
    [{ source: { type: 'x' } }, 'Unknown source type x'],
    [{}, 'Unknown source type '],
    [{ source: { type: 'image' } }, /fingerprint/],
    [{ source: { ...image, server: 'https://images.example' } }, /other servers/],
    [{ source: image, type: 'virtual-machine' }, /virtual-machine/],
    [{ source: image, stateful: true }, /[Ss]tateful/],
    [{ source: image, instance_type: 't2.micro' }, /t2\.micro/],
    [{ source: image, config: { a: true } }, /^config\.a: /],
    [{ source: image, devices: { d: { type: 1 } } }, /^devices\.d\.type: /],
    [{ source: image, name: 7 }, /^name: /],
  ])('is refused when %j', (body, message) => {
    expect(() => parseNewInstance(body)).toThrow(message);
  });
});

describe('a change of an instance', () => {
  it('replaces everything: fields that are not given become empty, profiles too; keys without a value are to be checked', () => {
    expect(parseInstanceFields({ profiles: null, config: { a: '', b: 'c' } })).toEqual({
      architecture: '',
      description: '',
      ephemeral: false,
      profiles: [],
      config: { a: '', b: 'c' },
      devices: {},
    });
  });

  it('takes null as an empty value, as LXD does, in config and devices', () => {
    const body = { config: { a: null }, devices: { d: { type: 'none', 'user.x': null } } };
    const read = { config: { a: '' }, devices: { d: { type: 'none', 'user.x': '' } } };
    const source = { type: 'none' };
    for (const parsed of [
      parseInstanceFields(body),
      parseInstancePatch(body),
      parseNewInstance({ ...body, source }),
      parseProfileFields(body),
      parseProfilePatch(body),
    ])
      expect(parsed).toMatchObject(read);
    const command = ['true'];
    expect(parseExec({ command, environment: { A: null } })).toMatchObject({ environment: { A: '' } });
  });

  it('cannot restore, neither with PUT nor with PATCH', () => {
    for (const read of [parseInstanceFields, parseInstancePatch])
      expect(() => read({ restore: 'snap0' })).toThrow('Porthole has no snapshots of instances');
  });

  it('by PATCH has only the fields that are given', () => {
    expect(
      parseInstancePatch({ config: { a: '', b: null }, devices: { d: null }, description: null }),
    ).toEqual({
      config: { a: '', b: '' },
      devices: { d: null },
    });
  });

  it('of its name is refused if it asks for a migration', () => {
    expect(parseInstanceRename({ name: 'c2', migration: false, target: null })).toBe('c2');
    expect(() => parseInstanceRename({ name: 'c2', migration: true })).toThrow(/Migration/);
  });

  it('of its state needs only the action', () => {
    expect(parseStateRequest({ action: 'start' })).toEqual({ action: 'start', timeout: -1, force: false });
    expect(parseStateRequest({ action: 'stop', timeout: null }).timeout).toBe(-1);
    expect(parseStateRequest({ action: 'stop', timeout: 0 }).timeout).toBe(0);
    expect(parseStateRequest({ action: 'start', pid: 7 }).pid).toBe(7);
    const state = { action: 'start', timeout: 2, force: true };
    expect(parseStatesRequest({ state: { ...state, pid: 7 } })).toEqual(state);
    expect(() => parseStatesRequest({})).toThrow("Unknown action: ''");
    expect(() => parseStateRequest({ action: 'explode' })).toThrow("Unknown action: 'explode'");
    expect(() => parseStateRequest({ action: 'stop', timeout: -2 })).toThrow(/^timeout: /);
  });
});

describe('an exec', () => {
  it('needs only a command', () => {
    expect(parseExec({ command: ['id'] })).toMatchObject({
      command: ['id'],
      environment: {},
      user: 0,
      waitForWebsocket: false,
    });
  });

  it.each([
    [{ command: [] }, /^command: /],
    [{ command: ['a\0b'] }, /NUL/],
    [{ command: ['a'], environment: { 'A=B': 'c' } }, /environment/],
    [{ command: ['a'], environment: { '': 'c' } }, /environment/],
    [{ command: ['a'], user: -1 }, /^user: /],
    [{ command: ['a'], group: 4294967295 }, /^group: /],
    [{ command: ['a'], width: 70000 }, /^width: /],
    [{ command: ['a'], 'record-output': true }, /record-output/],
  ])('is refused when %j', (body, message) => {
    expect(() => parseExec(body)).toThrow(message);
  });

  it('accepts control messages with sizes as strings and with signal numbers', () => {
    const resize = '{"command":"window-resize","args":{"height":"40","width":"132"},"signal":0}';
    expect(parseExecControl(resize)).toEqual({ command: 'window-resize', width: 132, height: 40 });
    expect(parseExecControl('{"command":"signal","args":null,"signal":15}')).toEqual({
      command: 'signal',
      signal: 15,
    });
  });

  it.each(['', '{', '{}', '[]', '{"command":"signal","signal":0}', '{"command":"signal","signal":99}'])(
    'refuses the control message %j',
    (message) => {
      expect(() => parseExecControl(message)).toThrow(expect.objectContaining({ status: 400 }));
    },
  );
});

describe('an upload', () => {
  it('is described by headers', () => {
    const headers = {
      'x-lxd-filename': '../../bb.tar.gz',
      'x-lxd-public': 'true',
      'x-lxd-properties': 'os=busy+box&release=a%26b',
      'x-lxd-profiles': 'profile=x&profile=y',
      'x-lxd-fingerprint': 'ab',
      'content-length': '12',
    };
    expect(parseUploadHeaders(headers)).toEqual({
      filename: 'bb.tar.gz',
      public: true,
      properties: { os: 'busy box', release: 'a&b' },
      profiles: ['x', 'y'],
      fingerprint: 'ab',
      size: 12,
    });
  });

  it('without headers is private and has default fields', () => {
    expect(parseUploadHeaders({})).toEqual({
      filename: '',
      public: false,
      properties: {},
      profiles: null,
      fingerprint: null,
      size: null,
    });
  });
});

it('an alias of a virtual machine is refused', () => {
  expect(() => parseNewAlias({ name: 'a', target: 'b', type: 'virtual-machine' })).toThrow(/virtual-machine/);
  expect(parseNewAlias({ name: 'a', target: 'b', type: '' })).toEqual({
    name: 'a',
    target: 'b',
    description: '',
  });
});

it('event types default to all, and unknown ones are refused', () => {
  expect([...parseEventTypes(null)]).toEqual(['lifecycle', 'logging', 'operation']);
  expect([...parseEventTypes('lifecycle,operation')]).toEqual(['lifecycle', 'operation']);
  expect(() => parseEventTypes('lifecycle,config')).toThrow('"config" isn\'t a supported event type');
});

it('server config values may be of any simple type', () => {
  expect(parseServerConfig({ config: { a: 1, b: true, c: null, d: 'x' } })).toEqual({
    a: '1',
    b: 'true',
    c: '',
    d: 'x',
  });
  expect(parseServerConfig({ config: null })).toEqual({});
});
