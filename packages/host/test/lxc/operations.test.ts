import { once } from 'node:events';
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test as it } from 'vitest';
import { parse } from 'yaml';
import type { OperationJson } from '../../src/wire/operation.ts';
import { until } from '../harness/api.ts';
import { LxcClient, outputOf } from '../harness/lxc.ts';

let lxc: LxcClient;

beforeAll(async () => {
  lxc = await LxcClient.start();
  await lxc.must('init', 'busybox', 'c1');
});

afterAll(() => lxc?.destroy());

/** Waits for a running operation with this description. @returns its id */
async function running(description: string): Promise<string> {
  let found: OperationJson | undefined;
  await until(`${description} runs`, async () => {
    const all = JSON.parse(await lxc.must('operation', 'list', '-f', 'json')) as OperationJson[];
    found = all.find((each) => each.description === description && each.status === 'Running');
    return found !== undefined;
  });
  return found?.id ?? '';
}

/** Sends a request that begins an operation, and does not wait for it. @returns the operation's id */
async function begin(method: string, path: string, body: object): Promise<string> {
  const answer = await lxc.must('query', '--raw', '-X', method, '-d', JSON.stringify(body), path);
  return (JSON.parse(answer) as { metadata: OperationJson }).metadata.id;
}

const show = async (id: string) => parse(await lxc.must('operation', 'show', id)) as OperationJson;

describe('an operation that LXD does not let be cancelled goes on:', () => {
  beforeEach(async () => {
    await lxc.must('start', 'c1');
    return async () => {
      await lxc.run('stop', '--force', 'c1');
    };
  });

  /** Tries to cancel it twice: the first refusal must not change anything. */
  async function staysRunning(id: string): Promise<void> {
    for (const _ of [1, 2]) {
      expect(await lxc.refusal('operation', 'delete', id)).toBe("This operation can't be cancelled");
      expect(await show(id)).toMatchObject({ status: 'Running', may_cancel: false, err: '' });
    }
  }

  it('a command, also with its streams', async () => {
    const child = lxc.spawn('exec', 'c1', '--', 'sh', '-c', 'echo ready; read line; echo "got $line"');
    const output = outputOf(child);
    await until('it runs', () => output.text === 'ready\n');
    const id = await running('Executing command');
    expect(await show(id)).toMatchObject({ class: 'websocket' });
    await staysRunning(id);
    const exit = once(child, 'exit');
    child.stdin?.end('it\n');
    expect([(await exit)[0], output.text]).toEqual([0, 'ready\ngot it\n']);
  });

  it.each([
    ['whose streams are not connected yet', { 'wait-for-websocket': true, interactive: false }],
    ['whose terminal is not connected yet', { 'wait-for-websocket': true, interactive: true }],
    ['that runs without streams', { 'wait-for-websocket': false }],
  ])('a command %s', async (_what, fields) => {
    const body = { command: ['sleep', '1000'], ...fields };
    await staysRunning(await begin('POST', '/1.0/instances/c1/exec', body));
  });

  it('a stop that waits for the instance', async () => {
    const init = await lxc.daemon.initPid('c1');
    process.kill(init, 'SIGSTOP');
    const id = await begin('PUT', '/1.0/instances/c1/state', { action: 'stop', timeout: -1 });
    await staysRunning(id);
    process.kill(init, 'SIGCONT');
    await until('it has stopped', async () => (await show(id)).status === 'Success');
    expect(await lxc.must('list', '-f', 'csv', '-c', 's', 'c1')).toBe('STOPPED\n');
  });
});

it.each(['one file', 'two files'])('an import of %s can be cancelled', async (what) => {
  const [small, large] = [join(lxc.folder, 'small'), join(lxc.folder, 'large')];
  // The client checks that a file begins like a squashfs.
  for (const file of [small, large]) writeFileSync(file, 'hsqs');
  truncateSync(large, 64 * 1024 * 1024);
  const images = join(lxc.daemon.stateDir, 'images');
  const before = readdirSync(images);
  const child = lxc.spawn('image', 'import', ...(what === 'two files' ? [small] : []), large);
  let told = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await until('it arrives', () => readdirSync(images).length > before.length);
  // The client is stopped, so that not all can arrive before the import is cancelled.
  child.kill('SIGSTOP');
  const id = await running('Downloading image');
  const { may_cancel: may, metadata } = await show(id);
  expect([may, metadata]).toEqual([
    true,
    { download_progress: expect.stringMatching(/^rootfs: \d+ bytes$/) },
  ]);
  expect(await lxc.must('operation', 'delete', id)).toBe(`Operation ${id} deleted\n`);
  await until('it is cancelled', async () => (await show(id)).status === 'Cancelled');
  expect(readdirSync(images)).toEqual(before);
  // At once: well before the daemon's time limit for a client that goes on sending.
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(5_000) });
  child.kill('SIGCONT');
  expect([(await exit)[0], told]).toEqual([1, 'Error: The operation was cancelled\n']);
  expect(await lxc.refusal('operation', 'delete', id)).toBe('Only running operations can be cancelled');
  for (const file of [small, large]) rmSync(file);
});

it('an operation that has ended, and one that does not exist, cannot be cancelled', async () => {
  await lxc.must('init', 'busybox', 'c2');
  const id = await begin('DELETE', '/1.0/instances/c2', {});
  await until('it has ended', async () => (await show(id)).status === 'Success');
  expect(await lxc.refusal('operation', 'delete', id)).toBe('Only running operations can be cancelled');
  for (const verb of ['show', 'delete'])
    expect(await lxc.refusal('operation', verb, 'none')).toBe('Operation not found');
});
