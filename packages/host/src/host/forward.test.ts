import { appendFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { FoundFile } from '../runtimes/contract/files.ts';
import { REQUESTOR_HEADER } from './requestor.ts';
import type { Harness } from './testing/harness.ts';
import { LinkedHosts } from './testing/linked-hosts.ts';

const ROOT = { root: { type: 'disk', path: '/', pool: 'default' } };

let fleet: LinkedHosts;
let m1: Harness;
let m2: Harness;

beforeEach(async () => {
  fleet = await LinkedHosts.start('m1', 'm2');
  [m1, m2] = [fleet.host('m1'), fleet.host('m2')];
  m1.backend.add('c1', {}, true);
  m2.backend.add('c2', { config: { 'user.a': 'b' }, devices: ROOT }, true);
});

afterEach(() => fleet.stop());

/** All bytes of an answer, but for the headers that each connection has of its own. */
function rawAnswer(host: Harness, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(host.path, () => socket.write(text));
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(got.replace(/^(Date|Connection|Keep-Alive): .*\r\n/gim, '')));
  });
}

/** An answer whose body comes in bit by bit. */
function opened(host: Harness, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath: host.path, path, agent: false }, resolve).on('error', reject).end();
  });
}

/** Makes a member answer each request with these bytes. */
function answersOf(member: string, bytes: string): void {
  fleet.link.member(member).serve = (socket) => {
    socket.on('error', () => {}).on('data', () => socket.write(bytes));
  };
}

describe('a request about an instance elsewhere', () => {
  it.each([
    ['GET', '/1.0/instances/c2', ''],
    ['GET', '/1.0/containers/c2?recursion=1', ''],
    ['GET', '/1.0/instances/c2/state', ''],
    ['HEAD', '/1.0/instances/c2/files?path=/none', ''],
    ['GET', '/1.0/instances/c2/files?path=/no%FFne', ''],
    ['GET', '/1.0/instances/c2/snapshots', ''],
    ['PATCH', '/1.0/instances/c2', '{"config":{"user.x":1}}'],
    ['PATCH', '/1.0/instances/c2', '{'],
    ['PUT', '/1.0/instances/c2/state', '{"action":"fly"}'],
    ['OPTIONS', '/1.0/instances/c2', ''],
    ['POST', '/1.0/instances/c2', '{"name":"a b"}'],
  ])('is answered byte by byte as its member answers it: %s %s %s', async (method, path, body) => {
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
    const text = `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${length}\r\n${body}`;
    const there = await rawAnswer(m2, text);
    expect(await rawAnswer(m1, text)).toBe(there);
    expect(there).toMatch(/^HTTP\/1\.1 \d{3} /);
  });

  it('keeps ETags, so that two operators do not overwrite each other', async () => {
    const { headers } = await m1.get('/1.0/instances/c2');
    const patch = (host: Harness, value: string) =>
      host.send('PATCH', '/1.0/instances/c2', { description: value }, { 'If-Match': String(headers.etag) });
    expect(
      (await m2.send('PATCH', '/1.0/instances/c2', { config: { 'boot.autostart': 'true' } })).status,
    ).toBe(200);
    expect((await patch(m1, 'late')).status).toBe(412);
    expect((await m1.get('/1.0/instances/c2')).json.metadata).toMatchObject({
      ...{ description: '', location: 'm2', config: { 'user.a': 'b', 'boot.autostart': 'true' } },
    });
  });

  it('is carried out there, with its operation, which is found again', async () => {
    const begun = await m1.send('PUT', '/1.0/instances/c2/state', { action: 'freeze' });
    expect(begun).toMatchObject({ status: 202, json: { metadata: { location: 'm2' } } });
    expect((await m1.finished(begun)).json.metadata).toMatchObject({ status: 'Success', location: 'm2' });
    expect((await m2.get('/1.0/instances/c2')).json.metadata.status).toBe('Frozen');
  });

  it('is not passed on twice', async () => {
    const cases = m2.backend.fleet;
    if (cases) m2.backend.fleet = { ...cases, memberOf: () => 'm1' };
    expect((await m1.get('/1.0/instances/c2')).json.metadata.location).toBe('m2');
  });

  it('says that a member is offline, is gone, or was never there', async () => {
    fleet.setOnline('m2', false);
    const offline = await m1.get('/1.0/instances/c2');
    expect(offline).toMatchObject({
      status: 503,
      json: { error: expect.stringContaining('it has no lease') },
    });
    fleet.setOnline('m2', true);
    await fleet.kill('m2');
    const gone = await m1.send('POST', '/1.0/instances/c2/files?path=/f', Buffer.alloc(1024 * 1024));
    expect(gone).toMatchObject({ status: 503, json: { error: expect.stringContaining('ECONNREFUSED') } });
    expect(await m1.get('/1.0/instances/c9')).toMatchObject({
      status: 404,
      json: { error: 'Instance not found' },
    });
  });

  it.each([
    ['a status that is none', 'HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nabc'],
    ['no HTTP', 'hello\r\n\r\n'],
  ])('says that the member is lost if it answers with %s', async (_what, answer) => {
    answersOf('m2', answer);
    const lost = { status: 503, json: { error: expect.stringContaining('m2') } };
    expect(await m1.get('/1.0/instances/c2')).toMatchObject(lost);
    // A list says that it has no answer, too.
    expect((await m1.get('/1.0/instances?recursion=1')).json.metadata).toMatchObject([
      { name: 'c1' },
      { name: 'c2', status: 'Error' },
    ]);
  });

  it('is answered if the text for the status has characters that HTTP does not allow', async () => {
    answersOf('m2', 'HTTP/1.1 404 a\x01b\r\nContent-Length: 2\r\n\r\n{}');
    expect(await m1.get('/1.0/instances/c2')).toMatchObject({ status: 404 });
  });

  it('is answered over a new connection when the kept one has just ended', async () => {
    await m1.get('/1.0/instances/c2');
    for (let round = 0; round < 5; round++) {
      fleet.link.known.delete('m1');
      fleet.link.member('m2').server.recheck();
      fleet.link.known.set('m1', {
        name: 'm1',
        address: '127.0.0.1:1',
        fingerprint: fleet.link.member('m1').identity.fingerprint,
      });
      expect((await m1.get('/1.0/instances/c2')).status).toBe(200);
    }
  });
});

describe('the operator of a request', () => {
  it('is the one that the member names, and never one that a client names', async () => {
    const path = '/1.0/instances/c2/logs/lxc.log';
    const inbox = await m2.websocket('/1.0/events?type=lifecycle');
    const teller = async () => (await inbox.nextJson()).metadata.requestor;
    for (const host of [m1, m2]) {
      await host.get(path, { [REQUESTOR_HEADER]: 'mallory' });
      expect(await teller()).toEqual({ username: 'root', protocol: 'unix', address: '@' });
    }
    const agent = fleet.link.member('m1').agents.of('m2');
    const ask = (header: string) =>
      new Promise<number>((resolve, reject) => {
        request({ agent, path, headers: { [REQUESTOR_HEADER]: header } }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
        })
          .on('error', reject)
          .end();
      });
    expect(await ask('ann%20b')).toBe(200);
    expect((await teller()).username).toBe('ann b');
    for (const bad of ['%', '%ff', 'a b', 'x'.repeat(1000)]) expect(await ask(bad)).toBe(400);
  });

  it('may not ask what only members ask each other', async () => {
    for (const path of ['applied?revision=1', 'images/ab', 'images/ab/files/0'])
      expect((await m1.get(`/fleet/1.0/${path}`)).status).toBe(404);
  });
});

describe('files', () => {
  it('go in both directions with their facts', async () => {
    const bytes = Buffer.alloc(3 * 1024 * 1024, 'porthole');
    const headers = { 'X-LXD-type': 'file', 'X-LXD-uid': '7', 'X-LXD-gid': '8', 'X-LXD-mode': '0600' };
    const path = '/1.0/instances/c2/files?path=/big';
    expect((await m1.send('POST', path, bytes, headers)).status).toBe(200);
    const got = await m1.get(path);
    expect(got.body.equals(bytes)).toBe(true);
    expect(got.headers).toMatchObject({
      'x-lxd-uid': '7',
      'x-lxd-mode': '0600',
      'content-length': String(bytes.length),
    });
  });

  it('are pushed no faster than their member takes them', async () => {
    const MEGABYTE = Buffer.alloc(1024 * 1024);
    const taken = Promise.withResolvers<void>();
    const { write } = m2.backend.files;
    m2.backend.files.write = async (name, path, file) => {
      await taken.promise;
      return write(name, path, file);
    };
    const outgoing = request({
      socketPath: m1.path,
      method: 'POST',
      path: '/1.0/instances/c2/files?path=/big',
      agent: false,
    });
    const answered = new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve));
    // The kernel and both daemons hold some of it; all of it they never hold.
    let held = 0;
    const drained = () => new Promise((resolve) => outgoing.once('drain', () => resolve(true)));
    const waits = () => Promise.race([drained(), pause()]);
    while (held++ < 256 && (outgoing.write(MEGABYTE) || (await waits())));
    expect(held).toBeLessThan(100);
    taken.resolve();
    outgoing.end();
    expect((await answered).statusCode).toBe(200);
  });

  it('that break off there break off here', async () => {
    const content = new PassThrough();
    content.write('begin');
    m2.backend.files.read = async () => found(content);
    const answer = await opened(m1, '/1.0/instances/c2/files?path=/x');
    expect(String(await new Promise((resolve) => answer.once('data', resolve)))).toBe('begin');
    const failed = new Promise((resolve) => answer.once('error', resolve));
    content.destroy(new Error('disk'));
    await failed;
    expect(answer.complete).toBe(false);
  });

  it('are not read any more when the client has gone', async () => {
    const content = new PassThrough();
    content.write('begin');
    m2.backend.files.read = async () => found(content);
    const answer = await opened(m1, '/1.0/instances/c2/files?path=/x');
    const over = new Promise((resolve) => content.once('close', resolve));
    answer.on('error', () => {});
    answer.destroy();
    await over;
  });

  it('a log is followed', async () => {
    const path = join(m2.folder, 'c2.log');
    writeFileSync(path, 'one\n');
    const answer = await opened(m1, '/1.0/instances/c2/logs/lxc.log?follow=1');
    const seen = () => new Promise((resolve) => answer.once('data', (chunk) => resolve(String(chunk))));
    expect(await seen()).toBe('one\n');
    const next = seen();
    appendFileSync(path, 'two\n');
    expect(await next).toBe('two\n');
    answer.on('error', () => {});
    answer.destroy();
  });
});

/** A file of 100 bytes. */
function found(content: PassThrough): FoundFile {
  const facts = { uid: 0, gid: 0, mode: 0o644, modified: '2024-01-01T00:00:00Z', size: 100 };
  return { ...facts, type: 'file', content } as unknown as FoundFile;
}

/** A moment; false. */
function pause(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 200));
}

describe('an exec in an instance elsewhere', () => {
  const begin = async () => {
    const body = { command: ['sh'], 'wait-for-websocket': true };
    const reply = await m1.send('POST', '/1.0/instances/c2/exec', body);
    expect(reply.status).toBe(202);
    const { id, metadata } = reply.json.metadata;
    const session = m2.backend.sessions.at(-1)!;
    const open = (name: string, host = m1) =>
      host.websocket(`/1.0/operations/${id}/websocket?secret=${metadata.fds[name]}`);
    return { id, session, process: session.process, open };
  };

  it('carries input, output and both ends', async () => {
    const { open, process, session, id } = await begin();
    const [, stdin, stdout, stderr] = [
      await open('control'),
      await open('0'),
      await open('1'),
      await open('2'),
    ];
    await process.until(() => session.starts === 1);
    stdin.socket.send(Buffer.from('in'));
    stdin.socket.send('', { binary: false });
    await process.until(() => process.inputEnded);
    expect(process.text).toBe('in');
    const big = 'x'.repeat(4 * 1024 * 1024);
    process.say(1, big);
    process.say(2, 'err');
    process.exit(3);
    expect((await stdout.untilMark()).toString()).toBe(big);
    expect((await stderr.untilMark()).toString()).toBe('err');
    expect(await stdout.closed).toBe(1005);
    expect((await m1.get(`/1.0/operations/${id}/wait`)).json.metadata).toMatchObject({
      metadata: { return: 3 },
    });
  });

  it('ends when its client is killed', async () => {
    const { open, process, session } = await begin();
    const control = await open('control');
    for (const name of ['0', '1', '2']) await open(name);
    await process.until(() => session.starts === 1);
    control.socket.terminate();
    await process.until(() => process.signals.length > 0);
    process.exit(137);
  });

  it('is found from a member that has not started it; a wrong secret and an unknown operation are refused', async () => {
    const m3 = await fleet.add('m3');
    const { open, id, session, process } = await begin();
    await open('control', m3);
    for (const name of ['0', '1', '2']) await open(name, m3);
    await process.until(() => session.starts === 1);
    await expect(m3.websocket(`/1.0/operations/${id}/websocket?secret=x`)).rejects.toThrow(
      'refused with 403',
    );
    const none = '00000000-0000-4000-8000-000000000000';
    await expect(m3.websocket(`/1.0/operations/${none}/websocket?secret=x`)).rejects.toThrow(
      'refused with 404',
    );
    process.exit(0);
  });

  it('ends when the daemon between them ends', async () => {
    const { open, process, session } = await begin();
    const control = await open('control');
    for (const name of ['0', '1', '2']) await open(name);
    await process.until(() => session.starts === 1);
    await m1.server.stop(0);
    await control.closed;
    await process.until(() => process.signals.length > 0);
    process.exit(137);
  });
});

describe('a new instance', () => {
  const NEW = { name: 'n1', source: { type: 'none' }, devices: ROOT };
  const where = async (host: Harness, query = '', body: object = NEW) => {
    const made = await host.send('POST', `/1.0/instances${query}`, body);
    if (made.status !== 202) return made.json.error;
    expect((await host.finished(made)).json.metadata.err).toBe('');
    return made.json.metadata.location;
  };

  it('is made on the member that the request names', async () => {
    expect(await where(m1, '?target=m2')).toBe('m2');
    expect(await where(m1, '?target=m1', { ...NEW, name: 'n2' })).toBe('m1');
    expect(await where(m1, '?target=m9', { ...NEW, name: 'n3' })).toBe('The fleet has no member "m9"');
    fleet.setOnline('m2', false);
    expect(await where(m1, '?target=m2', { ...NEW, name: 'n4' })).toContain('does not answer');
  });

  it('is made on the member with the fewest otherwise', async () => {
    m1.backend.add('c3');
    expect(await where(m1)).toBe('m2');
    expect(await where(m2, '', { ...NEW, name: 'n2' })).toBe('m1');
  });

  it('stays here if it adopts a container of this host', async () => {
    fleet.place = 'm2';
    const adopted = { name: 'n1', source: { type: 'adopt', pid: 4_000_000 } };
    const begun = await m1.send('POST', '/1.0/instances', adopted);
    expect(begun.json.metadata.location).toBe('m1');
    await m1.finished(begun);
    for (const body of ['{', '[]', 'null', '{"source":null}', '{"source":3}'])
      expect((await m1.send('POST', '/1.0/instances', body)).status).toBe(400);
  });
});
