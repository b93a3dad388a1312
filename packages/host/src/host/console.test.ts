import { existsSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { FakeProcess } from '../instances/testing/fake-process.ts';
import { duplicate } from '../native/descriptors.ts';
import { LOG_FOLLOWERS_MAX } from './host-limits.ts';
import { Harness } from './testing/harness.ts';

const POLL = { timeout: 10_000 };
const URL = '/1.0/instances/c1/console';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
  harness.backend.add('c1', {}, true);
  harness.backend.add('c2');
});
afterEach(() => harness.stop());

it('a client is attached with its keys, the output and its size, until it goes away', async () => {
  const process = new FakeProcess({} as never);
  harness.backend.heart.runtime.nextProcesses.push(process);
  const { json } = await harness.send('POST', URL, { width: 100, height: 30, type: 'console' });
  expect(json.metadata).toMatchObject({ class: 'websocket', description: 'Showing console' });
  const { id, metadata } = json.metadata;
  const open = (fd: string) =>
    harness.websocket(`/1.0/operations/${id}/websocket?secret=${metadata.fds[fd]}`);
  const control = await open('control');
  const data = await open('0');
  data.socket.send(Buffer.from('ls\r'));
  await process.until(() => process.text === 'ls\r');
  process.say(1, 'files');
  expect(String((await data.next()).data)).toBe('files');
  control.socket.send(JSON.stringify({ command: 'window-resize', args: { width: '90', height: '20' } }));
  await process.until(() => process.sizes.length > 0);
  expect(process.sizes).toEqual(['90x20']);
  control.socket.terminate();
  await process.until(() => process.signals.length > 0);
  process.exit(137);
  expect((await harness.finished({ json } as never)).json.metadata.status).toBe('Success');
});

it.each([
  ['c2', {}, 400, 'Instance is not running'],
  ['c9', {}, 404, 'Instance not found'],
  ['c1', { type: 'vga' }, 400, 'VGA console is only supported by virtual machines'],
  ['c1', { type: 'x' }, 400, 'Unknown console type "x"'],
  ['c1', { width: -1 }, 400, expect.stringContaining('width')],
])('it refuses %s %j', async (name, body, status, error) => {
  const reply = await harness.send('POST', `/1.0/instances/${name}/console`, body);
  expect(reply).toMatchObject({ status, json: { error } });
});

it('it refuses a frozen instance', async () => {
  await harness.backend.heart.setState('c1', 'freeze');
  expect(await harness.send('POST', URL, {})).toMatchObject({
    status: 400,
    json: { error: 'Instance is frozen' },
  });
});

it('what was printed is read, older first, and forgotten', async () => {
  const [older, newer] = [join(harness.folder, 'log.1'), join(harness.folder, 'log')];
  harness.backend.heart.runtime.consoleFiles = () => [older, newer];
  expect(await harness.get(URL)).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  writeFileSync(older, 'one\n');
  writeFileSync(newer, 'two\n');
  expect(String((await harness.get(URL)).body)).toBe('one\ntwo\n');
  expect((await harness.send('DELETE', URL)).status).toBe(200);
  expect([existsSync(older), String((await harness.get(URL)).body)]).toEqual([false, '']);
  expect((await harness.send('DELETE', URL)).status).toBe(200);
});

it('only so many clients follow at a time, and the end of the daemon ends them', async () => {
  const files = [join(harness.folder, 'log.1'), join(harness.folder, 'log')] as const;
  harness.backend.heart.runtime.consoleFiles = () => files;
  writeFileSync(files[1], 'one\n');
  const bodies = Array.from({ length: LOG_FOLLOWERS_MAX }, () => harness.get(`${URL}?follow=1`));
  let refused = await harness.get(`${URL}?follow=x`);
  expect(refused.status).toBe(200);
  const over = Promise.all(bodies);
  while (refused.status === 200) {
    refused = await Promise.race([harness.get(`${URL}?follow=1`), over.then(() => refused)]);
  }
  expect(refused).toMatchObject({ status: 503, json: { error: 'Too many clients that follow logs' } });
  await harness.server.stop(10_000);
  expect((await over).map(({ body }) => String(body))).toEqual(bodies.map(() => 'one\n'));
});

it('a closed client frees its place for another, also while the log has no new lines', async () => {
  const files = [join(harness.folder, 'log.1'), join(harness.folder, 'log')] as const;
  harness.backend.heart.runtime.consoleFiles = () => files;
  writeFileSync(files[1], 'one\n');
  const clients: IncomingMessage[] = [];
  while (clients.length < LOG_FOLLOWERS_MAX) clients.push(await follow());
  for (const client of clients) client.destroy();
  await expect
    .poll(async () => {
      const next = await follow();
      next.destroy();
      return next.statusCode;
    }, POLL)
    .toBe(200);
});

it('a client that does not read does not delay a restart in place', async () => {
  const files = [join(harness.folder, 'log.1'), join(harness.folder, 'log')] as const;
  harness.backend.heart.runtime.consoleFiles = () => files;
  writeFileSync(files[1], Buffer.alloc(16 * 1024 * 1024));
  const client = await follow();
  client.pause();
  const cut = new Promise((resolve) => client.once('error', resolve));
  const began = performance.now();
  await harness.server.leaveSockets(60_000, duplicate);
  expect(performance.now() - began).toBeLessThan(20_000);
  client.resume();
  await cut;
});

/** A client that has received the first bytes of the log. */
function follow(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: harness.path, path: `${URL}?follow=1`, agent: false };
    const outgoing = request(options, (incoming) => {
      incoming.on('error', () => {});
      incoming.once('data', () => resolve(incoming));
    });
    outgoing.on('error', reject).end();
  });
}
