import { beforeEach, describe, expect, it } from 'vitest';
import { hostError } from '../core/host-errors.ts';
import type { ExecRequest } from '../runtimes/contract/exec.ts';
import { BY, Heart } from './testing/heart.ts';

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1', { config: { 'environment.LANG': 'de', 'environment.A': '1' } });
  heart.told.length = 0;
});

const request = (part: Partial<ExecRequest> = {}): ExecRequest => ({
  command: ['id', '-u'],
  environment: {},
  interactive: false,
  width: 0,
  height: 0,
  user: 0,
  group: 0,
  cwd: '',
  waitForWebsocket: true,
  ...part,
});
const prepare = (part: Partial<ExecRequest> = {}) => heart.host.instances.exec('c1', request(part), BY);
const metadataOf = (id: string) => heart.parts.operations.get(id).metadata;

describe('An exec', () => {
  it('runs nothing before its start', () => {
    prepare();
    expect(heart.run('c1').execs).toEqual([]);
    expect(heart.told).toEqual([]);
  });

  it('ends with the exit code of its process', async () => {
    const session = prepare();
    await session.start();
    expect(heart.told).toEqual(['instance-exec c1']);
    heart.run('c1').execs[0]?.exit(7);
    const { status, metadata } = await heart.done(session.operation);
    expect([status, metadata?.['return']]).toEqual(['Success', 7]);
  });

  it.each([
    [{ interactive: false }, ['0', '1', '2', 'control']],
    [{ interactive: true }, ['0', 'control']],
    [{ waitForWebsocket: false }, []],
  ])('has a secret for each stream: %o', (part, streams) => {
    const { secrets, operation } = prepare(part);
    expect(Object.keys(secrets).sort()).toEqual(streams);
    expect(new Set(Object.values(secrets)).size).toBe(streams.length);
    expect(operation.class).toBe(streams.length > 0 ? 'websocket' : 'task');
  });

  it.each([
    [true, true],
    [false, false],
  ])('has a terminal only with websockets: %o', async (waitForWebsocket, terminal) => {
    const session = prepare({ interactive: true, waitForWebsocket });
    await session.start();
    expect(heart.run('c1').execs[0]?.request.interactive).toBe(terminal);
  });

  it('shows its command and its environment with websockets only, as LXD does', async () => {
    expect(metadataOf(prepare().operation.id)).toMatchObject({ command: ['id', '-u'], interactive: false });
    const session = prepare({ waitForWebsocket: false });
    expect(metadataOf(session.operation.id)).toBeNull();
    await session.start();
    heart.run('c1').execs[0]?.exit(7);
    expect((await heart.done(session.operation)).metadata).toEqual({ return: 7 });
  });

  it('merges its environment from defaults, the instance’s config and the request', () => {
    const { environment } = prepare({ environment: { A: '2', B: '3' } });
    expect(environment).toMatchObject({ LANG: 'de', A: '2', B: '3', HOME: '/root', USER: 'root' });
    expect(environment['PATH']).toMatch('/usr/bin');
    expect(prepare({ user: 1000 }).environment).not.toHaveProperty('HOME');
  });

  it.each([
    [0, '', {}, '/root'],
    [1000, '', {}, '/'],
    [0, '/srv', { HOME: '/tmp' }, '/srv'],
    [0, '', { HOME: '/tmp' }, '/tmp'],
    [1000, '', { HOME: '/tmp' }, '/tmp'],
    [0, '', { HOME: '' }, '/'],
  ])('of user %i in "%s" with the variables %o begins in %s', async (user, cwd, environment, expected) => {
    await prepare({ user, cwd, environment }).start();
    expect(heart.run('c1').execs[0]?.request.cwd).toBe(expected);
  });
});

describe('An exec that fails', () => {
  it('to start gives the reason at its start and in its operation', async () => {
    heart.machine.faults.refuse('exec', new Error('no pty'));
    const session = prepare();
    await expect(session.start()).rejects.toThrow('no pty');
    await expect(heart.done(session.operation)).rejects.toThrow('no pty');
    expect(heart.told).toEqual([]);
  });

  it.each([
    ['command-not-found', 127],
    ['command-not-executable', 126],
  ] as const)('with %s has the exit code of a shell', async (code, exit) => {
    const session = prepare();
    await session.start();
    heart.run('c1').execs[0]?.failToRun(hostError(code));
    await expect(heart.done(session.operation)).rejects.toThrow(hostError(code).message);
    expect(metadataOf(session.operation.id)).toMatchObject({ return: exit });
  });

  it('in another way has no exit code', async () => {
    const session = prepare();
    await session.start();
    heart.run('c1').execs[0]?.failToRun(new Error('lost'));
    await expect(heart.done(session.operation)).rejects.toThrow('lost');
    expect(metadataOf(session.operation.id)).not.toHaveProperty('return');
  });

  it.each([false, true])('by a call of fail() ends, started (%s) or not', async (started) => {
    const session = prepare();
    if (started) await session.start();
    session.fail('Timed out waiting for websockets to connect');
    await expect(heart.done(session.operation)).rejects.toThrow('Timed out waiting');
  });

  it('because its event cannot be stored gives that reason', async () => {
    heart.store.refuse();
    const session = prepare();
    await expect(session.start()).rejects.toThrow('full');
    await expect(heart.done(session.operation)).rejects.toThrow('full');
  });
});

describe('An exec is refused', () => {
  it('without a command', () => {
    expect(() => prepare({ command: [] })).toThrow('No command given');
  });

  it.each([
    [{ user: 65_536 }, 'The instance has no user 65536: its ids are 0 to 65535'],
    [{ group: 70_000 }, 'The instance has no group 70000: its ids are 0 to 65535'],
  ])('with ids that the instance does not have: %o', async (ids, why) => {
    expect(() => prepare(ids)).toThrow(why);
    expect(() => prepare({ user: 65_535, group: 65_535 })).not.toThrow();
    await heart.addRunning('c2', { config: { 'security.privileged': 'true' } });
    expect(() => heart.host.instances.exec('c2', request(ids), BY)).not.toThrow();
  });

  it('in a frozen instance', async () => {
    await heart.setState('c1', 'freeze');
    expect(() => prepare()).toThrow('Instance is frozen');
  });

  it('in a stopped instance', async () => {
    await heart.setState('c1', 'stop');
    expect(() => prepare()).toThrow('Instance is not running');
  });

  it('in an instance of another runtime', async () => {
    const pid = heart.machine.startForeign();
    const part = { name: 'a1', profiles: [], source: { type: 'adopt', pid } } as const;
    const rest = { description: '', architecture: '', ephemeral: false, config: {}, devices: {} };
    await heart.done(heart.host.instances.create({ ...part, ...rest }, BY));
    expect(() => heart.host.instances.exec('a1', request(), BY)).toThrow('run commands with it');
  });
});
