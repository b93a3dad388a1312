import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEvents } from '../src/client/events.ts';
import { ask, hostApi } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Listener } from './harness/listener.ts';

interface InstanceView {
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, unknown>>;
  readonly profiles: readonly string[];
}

const ON = 'security.devlxd.guest_config=true';
const KEY = '/1.0/config/guest.status';

let daemon: TestDaemon;
let tools: CallerTools;
let init: number;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  tools = new CallerTools();
  await daemon.must('image', 'build', 'busybox');
  await daemon.must('launch', 'busybox', 'c1', '-c', ON);
  await daemon.must('launch', 'busybox', 'c2');
  init = await daemon.initPid('c1');
});
afterAll(async () => {
  tools?.[Symbol.dispose]();
  await daemon?.destroy();
});

const inside = (target: string, ...args: string[]) => ask(daemon, { init }, target, ...args);
const put = (target: string, value: string) => inside(target, '-X', 'PUT', '--data-binary', value);
const remove = (target: string) => inside(target, '-X', 'DELETE');
const shown = () => hostApi(daemon).get<InstanceView>('/1.0/instances/c1');

describe('a key that the instance writes', () => {
  it('is read by both sides, stays when the daemon is killed, and goes when it is removed', async () => {
    expect(await put(KEY, 'up ✓')).toMatchObject({ status: 200, body: '' });
    expect((await inside(KEY)).body).toBe('up ✓');
    expect(JSON.parse((await inside('/1.0/config')).body)).toContain(KEY);
    expect(await daemon.must('config', 'show', 'c1')).toContain('guest.status: up ✓');
    expect(await daemon.must('config', 'get', 'c1', 'guest.status')).toBe('up ✓\n');
    await daemon.kill();
    await daemon.start();
    expect((await inside(KEY)).body).toBe('up ✓');
    expect((await remove(KEY)).status).toBe(200);
    expect((await inside(KEY)).status).toBe(404);
    expect((await shown()).config['guest.status']).toBeUndefined();
  });

  it('causes events on both sides, one for each change', async () => {
    const lifecycle: unknown[] = [];
    const following = await openEvents(daemon.hostSocket, ['lifecycle']);
    const reading = (async () => {
      for await (const event of following) {
        lifecycle.push(event.metadata);
        if (lifecycle.length === 3) return;
      }
    })();
    const listener = await Listener.open({ daemon, tools, init }, 'websocket');
    await put(KEY, 'one');
    await put(KEY, 'one');
    await put(KEY, 'two');
    await daemon.must('config', 'unset', 'c1', 'guest.status');
    const change = (old_value: string, value: string) => ({ key: 'guest.status', old_value, value });
    expect((await listener.first(3)).map(({ metadata }) => metadata)).toEqual([
      change('', 'one'),
      change('one', 'two'),
      change('two', ''),
    ]);
    await listener.close();
    await reading;
    following.close();
    const written = {
      action: 'instance-updated',
      source: '/1.0/instances/c1',
      context: { key: 'guest.status' },
    };
    expect(lifecycle.slice(0, 2)).toEqual([written, written]);
    expect(lifecycle[2]).toMatchObject({ action: 'instance-updated', source: '/1.0/instances/c1' });
  });

  it('can only be a guest key, and only of its own instance', async () => {
    const before = (await shown()).config;
    for (const key of [
      'user.a',
      'security.devlxd.images',
      'limits.memory',
      'volatile.uuid',
      'user.guest.x',
    ]) {
      expect((await put(`/1.0/config/${key}`, 'true')).status).toBe(501);
      expect((await remove(`/1.0/config/${key}`)).status).toBe(501);
    }
    expect((await put('/1.0/config/guest.a%2f..%2fuser.a', 'x')).status).toBe(400);
    expect((await shown()).config).toEqual(before);
    const other = await daemon.initPid('c2');
    expect((await ask(daemon, { init: other }, KEY, '-X', 'PUT', '-d', 'x')).status).toBe(403);
    expect((await ask(daemon, { init: other }, KEY)).status).toBe(403);
  });

  it('cannot come from a profile, and is out of reach while guest keys are switched off', async () => {
    const refused = await daemon.porthole('profile', 'set', 'default', 'guest.a=1');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('Guest keys can only be set on instances');
    await put(KEY, 'kept');
    await daemon.must('config', 'set', 'c1', 'security.devlxd.guest_config=false');
    expect((await inside(KEY)).status).toBe(403);
    expect((await put(KEY, 'x')).status).toBe(403);
    expect((await inside('/1.0/config')).body).not.toContain('guest.');
    expect((await shown()).config['guest.status']).toBe('kept');
    await daemon.must('config', 'set', 'c1', ON);
    expect((await inside(KEY)).body).toBe('kept');
  });
});

describe('an operator who edits while the instance writes', () => {
  const edit = async (change: (config: Record<string, string>) => void) => {
    const { value, etag } = await hostApi(daemon).getTagged<InstanceView>('/1.0/instances/c1');
    const config = { ...value.config };
    change(config);
    await put(KEY, `written ${performance.now()}`);
    const { devices, profiles } = value;
    const json = { ...value, config, devices, profiles };
    await hostApi(daemon).change('PUT', '/1.0/instances/c1', { json, headers: { 'if-match': etag ?? '' } });
  };

  it('succeeds, and does not undo a write of the instance', async () => {
    await edit((config) => {
      config['user.edited'] = '1';
    });
    const { config } = await shown();
    expect(config['user.edited']).toBe('1');
    expect(config['guest.status']).toBe((await inside(KEY)).body);
    expect(config['guest.status']).toMatch(/^written /);
  });

  it('is refused when the edit changes guest keys that the instance has written since', async () => {
    await expect(
      edit((config) => {
        delete config['guest.status'];
      }),
    ).rejects.toThrow("ETag doesn't match");
    await daemon.must('config', 'unset', 'c1', 'guest.status');
    expect((await inside(KEY)).status).toBe(404);
  });

  it('does not undo a write that comes while devices are being changed', async () => {
    const adding = daemon.must(
      'config',
      'device',
      'add',
      'c1',
      'docs',
      'disk',
      'source=/usr/share',
      'path=/mnt',
    );
    let last = '';
    for (let turn = 0; turn < 8; turn++) {
      const value = `turn ${turn}`;
      if ((await put(KEY, value)).status === 200) last = value;
    }
    await adding;
    expect((await inside(KEY)).body).toBe(last);
    expect(Object.keys((await shown()).devices)).toContain('docs');
  });
});

describe('the rate at which an instance writes', () => {
  it('is limited', async () => {
    const statuses = new Set<number>();
    for (let turn = 0; turn < 80 && !statuses.has(429); turn++) {
      statuses.add((await put(KEY, `burst ${turn}`)).status);
    }
    expect(statuses.has(429)).toBe(true);
  });
});
