import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostApi } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { TestDaemon } from './harness/daemon.ts';
import { type Event, Listener } from './harness/listener.ts';

let daemon: TestDaemon;
let tools: CallerTools;
let init: number;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  tools = new CallerTools();
  await daemon.must('image', 'build', 'busybox');
  await daemon.must('launch', 'busybox', 'c1');
  await daemon.must('launch', 'busybox', 'c2');
  init = await daemon.initPid('c1');
});
afterAll(async () => {
  tools?.[Symbol.dispose]();
  await daemon?.destroy();
});

const withListener = async (
  kind: 'websocket' | 'stream',
  query: string,
  use: (listener: Listener) => Promise<void>,
) => {
  const listener = await Listener.open({ daemon, tools, init }, kind, query);
  try {
    await use(listener);
  } finally {
    await listener.close();
  }
};

const set = (name: string, ...pairs: string[]) => daemon.must('config', 'set', name, ...pairs);
const bare = ({ type, metadata }: Event) => ({ type, metadata });

describe.each(['websocket', 'stream'] as const)('events over a %s', (kind) => {
  it('report each changed user key of this instance, and nothing else', async () => {
    await set('c1', 'user.a=1');
    await withListener(kind, '', async (listener) => {
      await set('c2', 'user.a=foreign');
      await set('c1', 'user.a=1', 'user.b=<new>', 'security.nesting=true', 'cloud-init.user-data=#x');
      await daemon.must('config', 'unset', 'c1', 'user.a');
      const events = await listener.first(2);
      expect(events.map(bare)).toEqual([
        { type: 'config', metadata: { key: 'user.b', old_value: '', value: '<new>' } },
        { type: 'config', metadata: { key: 'user.a', old_value: '1', value: '' } },
      ]);
      expect(Object.keys(events[0] as Event)).toEqual(['type', 'timestamp', 'metadata']);
      expect(Number.isNaN(Date.parse((events[0] as Event).timestamp))).toBe(false);
      await daemon.must('config', 'unset', 'c1', 'user.b');
    });
  });

  it('report devices that are added, changed and removed, with their options as configured', async () => {
    await withListener(kind, '?type=device', async (listener) => {
      const doc = ['source=/usr/share/doc', 'path=/mnt'];
      await set('c1', 'user.unseen=1');
      await daemon.must('config', 'device', 'add', 'c1', 'mnt', 'disk', ...doc);
      await daemon.must('config', 'device', 'set', 'c1', 'mnt', 'readonly=true');
      await daemon.must('config', 'device', 'remove', 'c1', 'mnt');
      const disk = { path: '/mnt', source: '/usr/share/doc', type: 'disk' };
      const readonly = { ...disk, readonly: 'true' };
      const metadata = (action: string, config: object) => ({ action, config, name: 'mnt' });
      expect((await listener.first(4)).map((event) => event.metadata)).toEqual([
        metadata('added', disk),
        metadata('removed', disk),
        metadata('added', readonly),
        metadata('removed', readonly),
      ]);
    });
  });

  it('keep the order of a hundred keys set at once and of updates one after another', async () => {
    await withListener(kind, '?type=config', async (listener) => {
      const api = hostApi(daemon);
      const keys = Array.from({ length: 100 }, (_, index) => `user.k${String(index).padStart(3, '0')}`);
      for (const round of ['1', '2']) {
        const config = Object.fromEntries(keys.map((key) => [key, `${kind}${round}`]));
        await api.change('PATCH', '/1.0/instances/c1', { json: { config } });
      }
      const seen = (await listener.first(200)).map(({ metadata }) => [metadata['key'], metadata['value']]);
      expect(seen).toEqual(['1', '2'].flatMap((round) => keys.map((key) => [key, `${kind}${round}`])));
    });
  });

  it('end when security.devlxd becomes false', async () => {
    await withListener(kind, '', async (listener) => {
      await set('c1', 'security.devlxd=false');
      await listener.ended;
      await set('c1', 'security.devlxd=true');
      expect(listener.events).toEqual([]);
    });
  });
});

describe('a nic limit', () => {
  it('causes one event `updated` with the new options when it changes live', async () => {
    await daemon.must('config', 'device', 'add', 'c1', 'eth9', 'nic', 'nictype=p2p', 'name=eth9');
    await withListener('stream', '?type=device', async (listener) => {
      await daemon.must('config', 'device', 'set', 'c1', 'eth9', 'limits.ingress=10Mbit');
      const [event] = await listener.first(1);
      expect(event?.metadata).toEqual({
        action: 'updated',
        config: { 'limits.ingress': '10Mbit', name: 'eth9', nictype: 'p2p', type: 'nic' },
        name: 'eth9',
      });
    });
    await daemon.must('config', 'device', 'remove', 'c1', 'eth9');
  });
});

describe('streams', () => {
  it('end with the run, also for a process outside that holds one', async () => {
    const listener = await Listener.open({ daemon, tools, init }, 'stream');
    await daemon.must('stop', '-f', 'c1');
    await listener.ended;
    await daemon.must('start', 'c1');
    init = await daemon.initPid('c1');
    expect(listener.events).toEqual([]);
  });
});
