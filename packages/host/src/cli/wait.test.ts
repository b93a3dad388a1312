import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { WebSocket } from 'ws';
import type { FakeHost } from '../client/testing/fake-host.ts';
import { startFakeHost } from '../client/testing/fake-host.ts';
import type { InstanceJson } from '../wire/instance.ts';
import { fakeInstance } from './testing/fake-instance.ts';
import { runIn } from './testing/fake-io.ts';

let host: FakeHost;
/** The instance that the host has now, if any. */
let instance: InstanceJson | null;
let listeners: WebSocket[];
let opened: string[];
let looks: number;
let onLook: () => void;

beforeEach(async () => {
  host = await startFakeHost();
  instance = fakeInstance();
  listeners = [];
  opened = [];
  looks = 0;
  onLook = () => {};
  host.onSocket = (socket, url) => {
    listeners.push(socket);
    opened.push(url);
  };
  for (const name of ['c1', 'c2'])
    host.routes[`GET /1.0/instances/${name}`] = () => {
      looks++;
      const answer =
        instance?.name === name ? { metadata: instance } : { error: [404, 'Instance not found'] as const };
      setImmediate(onLook);
      return answer;
    };
});
afterEach(() => host.stop());

let sequence = 0;
function tell(action: string, part: object = {}): void {
  const metadata = { action, source: '/1.0/instances/c1', ...part };
  sequence++;
  for (const socket of listeners) socket.send(JSON.stringify({ type: 'lifecycle', sequence, metadata }));
}

/** Changes the instance after the first look, and tells it. */
function afterFirstLook(change: () => void): void {
  onLook = () => {
    onLook = () => {};
    change();
  };
}

const wait = (line: string) => runIn(host.dir, ['wait', 'c1', ...line.split(' ')]);
const OK = { code: 0, stdout: '', stderr: '' };

it.each(['running', 'user.a='])('it returns at once when it is so already: %s', async (condition) => {
  expect(await wait(`--for ${condition}`)).toEqual(OK);
  expect(looks).toBe(1);
});

it('it listens before it looks', async () => {
  host.onSocket = (socket) => {
    listeners.push(socket);
    expect(looks).toBe(0);
    instance = fakeInstance({ status: 'Ready', status_code: 113 });
  };
  expect(await wait('--for ready')).toEqual(OK);
});

it.each([
  ['ready', { status_code: 113 }],
  ['stopped', { status_code: 102 }],
  ['user.a=b', { expanded_config: { 'user.a': 'b' } }],
])('a change ends it: %s', async (condition, part) => {
  afterFirstLook(() => {
    tell('instance-updated');
    instance = fakeInstance(part);
    tell('instance-updated');
  });
  expect(await wait(`--for ${condition}`)).toEqual(OK);
});

it('events of other instances cause no look', async () => {
  afterFirstLook(() => {
    for (let n = 0; n < 20; n++) tell('instance-updated', { source: '/1.0/instances/c9' });
    instance = fakeInstance({ status_code: 113 });
    tell('instance-ready');
  });
  expect(await wait('--for ready')).toEqual(OK);
  expect(looks).toBe(2);
});

it('at its time limit it says what is so instead', async () => {
  const { code, stderr } = await wait('--for ready --timeout 1');
  expect([code, stderr]).toEqual([1, 'Error: After 1 second c1 is not ready: it is RUNNING\n']);
  const other = await wait('--for user.a=b --timeout 0');
  expect([other.code, other.stderr]).toEqual([1, 'Error: After 0 seconds c1 has no user.a\n']);
});

it('an instance that is deleted ends it with 1, also if there is another one of that name', async () => {
  afterFirstLook(() => {
    instance = null;
    tell('instance-deleted');
  });
  expect(await wait('--for ready')).toMatchObject({ code: 1, stderr: 'Error: c1 was deleted meanwhile\n' });
  instance = fakeInstance();
  afterFirstLook(() => {
    instance = fakeInstance({ created_at: '2027-01-01T00:00:00Z', status_code: 113 });
    tell('instance-created');
  });
  expect((await wait('--for ready')).stderr).toBe('Error: c1 was deleted meanwhile\n');
});

it('an ephemeral instance that is deleted has stopped', async () => {
  instance = fakeInstance({ ephemeral: true });
  afterFirstLook(() => {
    instance = null;
    tell('instance-deleted');
  });
  expect(await wait('--for stopped')).toEqual(OK);
});

it('another name of the instance is followed', async () => {
  afterFirstLook(() => {
    instance = fakeInstance({ name: 'c2' });
    tell('instance-renamed', { source: '/1.0/instances/c2', context: { old_name: 'c1' } });
    onLook = () => {
      instance = fakeInstance({ name: 'c2', status_code: 113 });
      tell('instance-ready', { source: '/1.0/instances/c2' });
    };
  });
  expect(await wait('--for ready')).toEqual(OK);
});

it('a restart of the daemon is waited out, from the same position', async () => {
  afterFirstLook(() => {
    tell('instance-updated');
    onLook = () => {
      onLook = () => {};
      instance = fakeInstance({ status_code: 113 });
      for (const socket of listeners.splice(0)) socket.close(1012);
    };
  });
  expect(await wait('--for ready')).toEqual(OK);
  expect(opened[1]).toBe(`/1.0/events?type=lifecycle&since=${sequence}`);
});

it('asks again if the daemon refuses because it is ending', async () => {
  const { routes } = host;
  const usual = routes['GET /1.0/instances/c1'];
  afterFirstLook(() => {
    instance = fakeInstance({ status_code: 113 });
    let refused = false;
    routes['GET /1.0/instances/c1'] = (request) => {
      if (refused && usual) return usual(request);
      refused = true;
      return { error: [503, 'The daemon is stopping'] };
    };
    tell('instance-ready');
  });
  expect(await wait('--for ready')).toEqual(OK);
});

it('it prints the instance for programs', async () => {
  const { code, stdout } = await wait('--for running -f json');
  expect([code, JSON.parse(stdout).name]).toEqual([0, 'c1']);
});

it.each(['nonsense', '=x', ''])('it refuses a condition that it does not know: "%s"', async (condition) => {
  const { code, stderr } = await runIn(host.dir, ['wait', 'c1', '--for', condition]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('--for takes ready, running, stopped or key=value'),
  ]);
});

it('an instance that does not exist is an error at once', async () => {
  instance = null;
  expect(await wait('--for ready')).toMatchObject({ code: 1, stderr: 'Error: Instance not found\n' });
});
