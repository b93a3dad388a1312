import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { edit, editInstance } from './edits.ts';
import { HostClient } from './host-client.ts';
import type { FakeHost } from './testing/fake-host.ts';
import { finishedOperation, startFakeHost } from './testing/fake-host.ts';

let host: FakeHost;
let client: HostClient;
beforeEach(async () => {
  host = await startFakeHost();
  client = new HostClient(host.socketPath);
});
afterEach(() => host.stop());

/** A counter that other clients increase `rivals` times, each time between the edit's read and its write. */
function serveCounter(rivals: number): { value: number } {
  const state = { value: 0 };
  let left = rivals;
  host.routes['GET /n'] = () => ({ metadata: state.value, etag: `"${state.value}"` });
  host.routes['PUT /n'] = ({ body, headers }) => {
    if (left-- > 0) state.value += 10;
    if (headers['if-match'] !== `"${state.value}"`) return { error: [412, "ETag doesn't match"] };
    state.value = JSON.parse(body.toString()) as number;
    return {};
  };
  return state;
}

it('an edit starts again from the object that another client wrote in between', async () => {
  const state = serveCounter(2);
  await edit<number, number>(client, '/n', (value) => value + 1);
  expect(state.value).toBe(21);
});

it('an edit gives up when other clients write first each time', async () => {
  serveCounter(1000);
  await expect(edit<number, number>(client, '/n', (value) => value + 1)).rejects.toMatchObject({
    status: 412,
  });
  expect(host.received.filter(({ method }) => method === 'PUT').length).toBe(5);
});

it('an edit that refuses writes nothing', async () => {
  serveCounter(0);
  const refusing = () => {
    throw new Error('no');
  };
  await expect(edit(client, '/n', refusing)).rejects.toThrow('no');
  expect(host.received.map(({ method }) => method)).toEqual(['GET']);
});

it('an edit of an instance sends back the fields that stay', async () => {
  const instance = {
    name: 'c1',
    architecture: 'x86_64',
    config: { 'volatile.uuid': 'u' },
    devices: { eth0: { type: 'nic' } },
    ephemeral: false,
    profiles: ['default'],
    stateful: false,
    description: 'd',
    expanded_config: { secret: 'not mine' },
  };
  host.routes['GET /1.0/instances/c1'] = () => ({ metadata: instance, etag: '"1"' });
  host.routes['PUT /1.0/instances/c1'] = () => ({ operation: finishedOperation() });
  await editInstance(client, 'c1', ({ config }) => ({ config: { ...config, 'user.a': 'b' } }));
  const { name: _, expanded_config: __, ...rest } = instance;
  expect(JSON.parse(host.received.at(-1)!.body.toString())).toEqual({
    ...rest,
    config: { 'volatile.uuid': 'u', 'user.a': 'b' },
  });
});
