import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { LogLine } from '../../test/harness/daemon.ts';
import { type Log, silentLog } from '../base/log.ts';
import { exchange, RawClient, sampleView } from '../guest/testing/harness.ts';
import { UNKNOWN_CALLERS_PER_KEY_MAX } from '../http/connection-limits.ts';
import { duplicate } from '../native/descriptors.ts';
import { close } from '../native/libc.ts';
import { acceptNext, listenUnix } from '../native/sockets.ts';
import { PATIENCE_MS } from '../peer/held-callers.ts';
import { startApart, startLane } from './testing/harness.ts';

// Thousands of rounds, or many processes, take long on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 });

const GET = 'GET /1.0/config/user.foo HTTP/1.1\r\nHost: lxd\r\n\r\n';
const PATCH = 'PATCH /1.0 HTTP/1.1\r\nHost: lxd\r\nContent-Length: 17\r\n\r\n{"state":"Ready"}';
const BAR =
  /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/octet-stream\r\nETag: "[^\r]+"\r\nDate: [^\r]+\r\nContent-Length: 3\r\n\r\nbar$/;

const answered = (count: number) => (text: string) => text.split('HTTP/1.1 200 OK').length - 1 >= count;
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

/** A log that keeps its messages. */
function keptLog(): { log: Log; lines: Pick<LogLine, 'msg'>[] } {
  const lines: Pick<LogLine, 'msg'>[] = [];
  const keep = (_fields: object, msg: string) => void lines.push({ msg });
  return { log: { ...silentLog, error: keep, warn: keep }, lines };
}

describe('a plain request', () => {
  it('is answered without the main server', async () => {
    await using guest = await startLane();
    expect(await exchange(guest.path, GET)).toMatch(BAR);
    expect([guest.backend.identified, guest.backend.viewed]).toEqual([0, 0]);
  });

  it('is answered in order when it is pipelined, and the connection stays', async () => {
    await using guest = await startLane();
    const client = new RawClient(guest.path).send(GET.repeat(100));
    await client.until(answered(100));
    expect(guest.lane.connections()).toBe(1);
    client.send('GET / HTTP/1.1\r\nHost: lxd\r\nConnection: close\r\n\r\n');
    expect(await client.end()).toMatch(/\["\/1\.0"\]\n$/);
    expect(guest.backend.viewed).toBe(0);
  });

  it('ends the connection when the client asks for it or hangs up', async () => {
    await using guest = await startLane();
    expect(await exchange(guest.path, GET.repeat(3))).toMatch(/bar$/);
    const closing = new RawClient(guest.path).send(GET.replace('Host', 'Connection: close\r\nHost'));
    expect(await closing.end()).toMatch(/\r\nConnection: close\r\n\r\nbar$/);
  });
});

describe('a lane that frees memory', () => {
  it('answers on connections from before and after it, from the same views', async () => {
    await using guest = await startLane();
    const client = new RawClient(guest.path).send(GET);
    await client.until(answered(1));
    for (const what of ['garbage', 'pages', 'garbage', 'pages'] as const) guest.lane.free(what);
    expect(await exchange(guest.path, GET)).toMatch(BAR);
    client.send(GET);
    await client.until(answered(2));
    client.socket.destroy();
    await guest.lane.caughtUp();
    expect(guest.lane.works).toBe(true);
  });
});

describe('a request that is not plain', () => {
  it('is answered by the main server, with all requests before and after it', async () => {
    await using guest = await startLane();
    const client = new RawClient(guest.path).send(GET + GET + PATCH + GET + GET);
    await client.until(answered(5));
    expect(guest.backend.views.get(1)?.ready).toBe(true);
    expect(await exchange(guest.path, 'GET /1.0 HTTP/1.1\r\nHost: lxd\r\n\r\n')).toContain('"Ready"');
    client.socket.destroy();
  });

  it('may come in pieces, or have an answer that is too large', async () => {
    await using guest = await startLane();
    const value = 'v'.repeat(300_000);
    guest.backend.setView(sampleView({ config: new Map([['user.foo', value]]) }));
    const client = new RawClient(guest.path).send(GET.slice(0, 9));
    client.send(GET.slice(9));
    await client.until((text) => text.endsWith(value));
    expect(bodyOf(await exchange(guest.path, GET))).toBe(value);
    client.socket.destroy();
  });

  it('may have answers that the client does not take: it gets all of them, in order, when it reads', async () => {
    await using guest = await startLane();
    const value = 'v'.repeat(4000);
    guest.backend.setView(sampleView({ config: new Map([['user.foo', value]]) }));
    const client = new RawClient(guest.path);
    client.socket.pause();
    for (let batch = 0; batch < 20; batch++) client.send(GET.repeat(20));
    client.socket.resume();
    await client.until(answered(400));
    await client.until((text) => text.split(`\r\n\r\n${value}`).length === 401);
    client.socket.destroy();
  });
});

describe('a change', () => {
  it('shows in every answer after the call that reports it has returned', async () => {
    await using guest = await startLane();
    const client = new RawClient(guest.path);
    for (let round = 0; round < 3000; round++) {
      guest.backend.setView(sampleView({ config: new Map([['user.foo', `v${round};`]]) }));
      client.received = '';
      client.send(GET);
      await client.until((text) => text.endsWith(';'));
      expect(bodyOf(client.received)).toBe(`v${round};`);
    }
    expect(guest.lane.connections()).toBe(1);
    client.socket.destroy();
  });

  it('of a large change shows in no answer before all of it does', async () => {
    await using guest = await startLane();
    const view = sampleView({ config: new Map([['user.foo', 'new']]) });
    guest.lane.prepare([sampleView({ config: new Map([['user.foo', 'draft']]) })]);
    guest.lane.prepare([view]);
    await guest.lane.caughtUp();
    const before = bodyOf(await exchange(guest.path, GET));
    guest.lane.swap([], () => view);
    expect([before, bodyOf(await exchange(guest.path, GET))]).toEqual(['bar', 'new']);
    guest.lane.prepare([sampleView({ config: new Map([['user.foo', 'given up']]) })]);
    guest.lane.forget();
    guest.lane.swap([], () => undefined);
    expect(bodyOf(await exchange(guest.path, GET))).toBe('new');
  });

  it('of a large change shows also in a run that has begun since it was prepared', async () => {
    await using guest = await startLane({ known: false });
    const view = sampleView({ config: new Map([['user.foo', 'new']]) });
    guest.lane.prepare([view]);
    guest.lane.began(guest.facts, sampleView());
    const before = bodyOf(await exchange(guest.path, GET));
    guest.lane.swap([], () => view);
    expect([before, bodyOf(await exchange(guest.path, GET))]).toEqual(['bar', 'new']);
  });

  it('of security.devlxd shows too', async () => {
    await using guest = await startLane();
    guest.backend.setView(sampleView({ devlxd: false }));
    expect(await exchange(guest.path, GET)).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
  });
});

describe('a run that is over', () => {
  it('loses its connections on both threads, and gets no new ones', async () => {
    await using guest = await startLane();
    const plain = new RawClient(guest.path).send(GET);
    const other = new RawClient(guest.path).send(GET + PATCH);
    await plain.until(answered(1));
    await other.until(answered(2));
    guest.lane.over(1);
    guest.backend.views.delete(1);
    guest.backend.caller = { kind: 'no-instance' };
    expect(guest.server.closeInstance(1, 'instance stopped')).toBe(2);
    await Promise.all([plain.end(), other.end()]);
    expect(await exchange(guest.path, GET)).toMatch(/^HTTP\/1\.1 500 /);
  });

  it('gives no answer from its view, even on a connection that is still open', async () => {
    await using guest = await startLane();
    const client = new RawClient(guest.path).send(GET);
    await client.until(answered(1));
    guest.lane.over(1);
    client.received = '';
    expect(await client.send(GET).end()).toMatch(/^HTTP\/1\.1 500 [\s\S]*\r\nConnection: close\r\n/);
  });
});

describe('a caller', () => {
  it('that is not root is refused, and gets 404 for unknown paths', async () => {
    await using guest = await startLane({ known: false });
    guest.lane.began({ ...guest.facts, rootUid: 4242 }, sampleView());
    expect(await exchange(guest.path, GET)).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(await exchange(guest.path, GET.replace('1.0', '2.0'))).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  });

  it('in no instance gets the same answers as from the main server, and is never handed over to it', async () => {
    await using guest = await startLane({ known: false });
    guest.backend.caller = { kind: 'no-instance' };
    const plain = await exchange(guest.path, GET + GET);
    const undated = (text: string) => text.replaceAll(/Date: [^\r]+/g, 'Date: D');
    expect(undated(plain)).toBe(undated(await exchange(guest.stockPath, GET + GET)));
    expect(plain.split('HTTP/1.1 500 ')).toHaveLength(3);
    expect(await exchange(guest.path, PATCH)).toMatch(/^HTTP\/1\.1 500 [\s\S]*\r\nConnection: close\r\n/);
    expect(await exchange(guest.path, 'rubbish\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await new RawClient(guest.path).send(GET.slice(0, 20)).end()).toMatch(/^HTTP\/1\.1 400 /);
    // The server without a lane has identified its own connection, the main server none.
    expect(guest.backend.identified).toBe(1);
  });

  it('in no instance may have few connections, and further ones are closed', async () => {
    await using guest = await startLane({ known: false });
    const clients = Array.from({ length: UNKNOWN_CALLERS_PER_KEY_MAX }, () =>
      new RawClient(guest.path).send(GET),
    );
    for (const client of clients) await client.until((text) => text.startsWith('HTTP/1.1 500'));
    expect(await new RawClient(guest.path).send(GET).end()).toBe('');
    for (const client of clients) client.socket.destroy();
  });

  it('that connects while instances are started waits until its run is known', async () => {
    await using guest = await startLane({ known: false });
    guest.lane.starting(true);
    await using inside = await startApart(guest.path, GET);
    guest.lane.began({ ...guest.facts, namespace: inside.namespace }, sampleView());
    expect(await inside.answer).toMatch(BAR);
    expect([guest.backend.identified, guest.backend.viewed]).toEqual([0, 0]);
  });

  it('of a new instance waits until the instance is stored, and has a view', async () => {
    await using guest = await startLane({ known: false });
    guest.lane.starting(true);
    await using inside = await startApart(guest.path, GET);
    guest.lane.began({ ...guest.facts, namespace: inside.namespace }, undefined);
    await expect.poll(() => isAccepted(guest.path)).toBe(true);
    guest.lane.starting(true);
    expect(inside.text()).toBe('');
    guest.lane.changed([sampleView()]);
    expect(await inside.answer).toMatch(BAR);
  });

  it('that still waits when the last start has ended is in no instance; a host process does not wait', async () => {
    await using guest = await startLane({ known: false });
    guest.lane.starting(true);
    await using inside = await startApart(guest.path, GET);
    expect(await exchange(guest.path, GET)).toMatch(/^HTTP\/1\.1 500 /);
    guest.lane.starting(false);
    expect(await inside.answer).toMatch(/^HTTP\/1\.1 500 /);
  });

  it('of an instance that is not stored yet waits for its view', async () => {
    await using guest = await startLane({ known: false });
    guest.lane.patient(true);
    await using inside = await startApart(guest.path, GET);
    guest.lane.began({ ...guest.facts, namespace: inside.namespace }, undefined);
    guest.lane.changed([sampleView()]);
    expect(await inside.answer).toMatch(BAR);
  });

  it('waits for its run where another program starts instances, and a second at most', async () => {
    await using guest = await startLane({ known: false });
    guest.lane.patient(true);
    const from = performance.now();
    await using inside = await startApart(guest.path, GET);
    await using other = await startApart(guest.path, GET);
    expect(await exchange(guest.path, GET)).toMatch(/^HTTP\/1\.1 500 /);
    guest.lane.began({ ...guest.facts, namespace: inside.namespace }, sampleView());
    expect(await inside.answer).toMatch(BAR);
    expect(await other.answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(performance.now() - from).toBeGreaterThan(PATIENCE_MS);
    guest.lane.patient(false);
    // The kernel may give the namespace of the next process the number of the first one.
    guest.lane.over(1);
    await using late = await startApart(guest.path, GET);
    const lateFrom = performance.now();
    expect(await late.answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(performance.now() - lateFrom).toBeLessThan(PATIENCE_MS);
  });
});

describe('connections', () => {
  it('that the previous server has left are served by the lane, as if they were new', async () => {
    await using guest = await startLane();
    const listening = listenUnix(`${guest.path}.before`, 16);
    const client = new RawClient(`${guest.path}.before`).send(GET);
    await once(client.socket, 'connect');
    guest.server.takeOver([acceptNext(listening)]);
    close(listening);
    expect(await client.until(answered(1))).toMatch(BAR);
    expect([guest.backend.identified, guest.lane.connections()]).toEqual([0, 1]);
    client.socket.destroy();
  });

  it('at rest are left to the next server', async () => {
    await using guest = await startLane();
    const resting = new RawClient(guest.path).send(GET);
    await resting.until(answered(1));
    const left = await guest.server.leaveSockets(5000, duplicate);
    expect(left.connections).toHaveLength(1);
    for (const fd of [left.listener, ...left.connections]) close(fd);
    await resting.end();
  });

  it('whose caller is not known yet are left to the next server', async () => {
    await using guest = await startLane({ known: false });
    guest.lane.starting(true);
    await using held = await startApart(guest.path, GET);
    await expect.poll(() => isAccepted(guest.path)).toBe(true);
    const left = await guest.server.leaveSockets(5000, duplicate);
    expect([left.connections.length, held.text()]).toEqual([1, '']);
    for (const fd of [left.listener, ...left.connections]) close(fd);
  });
});

/**
 * Whether a connection to the only socket of its folder has been accepted: in the queue it has no inode yet.
 */
function isAccepted(path: string): boolean {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.some((line) => line.includes(` ${dirname(path)}/`) && / 03 +[1-9]\d* /.test(line));
}

describe('limits', () => {
  it('count the connections of both threads together, refuse, and admit again', async () => {
    await using guest = await startLane({ limits: { connectionsPerKey: 4 } });
    const clients = [GET, PATCH, GET, PATCH].map((request) => new RawClient(guest.path).send(request));
    for (const client of clients) await client.until(answered(1));
    expect(await exchange(guest.path, GET)).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    clients[1]?.socket.destroy();
    let answer = '';
    while (!BAR.test(answer)) answer = await exchange(guest.path, GET);
    for (const client of clients) client.socket.destroy();
  });

  it('end connections that are silent for too long, and no others', async () => {
    await using guest = await startLane({ limits: { idleTimeoutMs: 200 } });
    const [silent, mute, busy] = [1, 2, 3].map(() => new RawClient(guest.path)) as [
      RawClient,
      RawClient,
      RawClient,
    ];
    silent.send(GET);
    const startedMs = performance.now();
    const ended = Promise.all([silent.end(), mute.end()]);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    let asked = 0;
    while (!over) {
      busy.send(GET);
      await busy.until(answered(++asked));
    }
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(199);
    expect((await ended)[0]).toMatch(BAR);
    busy.socket.destroy();
  });

  it('apply to a request that never ends', async () => {
    await using guest = await startLane({ limits: { requestTimeoutMs: 100 } });
    expect(await new RawClient(guest.path).send(GET.slice(0, -1)).end()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('apply to a head that is too large', async () => {
    await using guest = await startLane();
    const head = `GET /1.0 HTTP/1.1\r\nHost: lxd\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`;
    expect(await exchange(guest.path, head)).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('the end of the lane', () => {
  it('still answers clients that are connected or wait to be accepted', async () => {
    await using guest = await startLane();
    const resting = new RawClient(guest.path).send(GET);
    await resting.until(answered(1));
    const asking = Array.from({ length: 20 }, () => new RawClient(guest.path).send(GET));
    const stopped = guest.server.stop(5000);
    for (const client of asking) expect(await client.end()).toMatch(/bar$/);
    await resting.end();
    await stopped;
    expect(guest.server.connections()).toBe(0);
  });

  it('because of a fault is logged, and does not end the service', async () => {
    const { log, lines } = keptLog();
    await using guest = await startLane({ log });
    const client = new RawClient(guest.path).send(GET);
    await client.until(answered(1));
    // No connection has such a slot, so the thread fails.
    guest.lane.release({ peer: { kind: 'no-instance' }, key: 'nobody', rank: 'root' });
    await client.end();
    expect(await exchange(guest.path, GET)).toMatch(BAR);
    expect(lines).toContainEqual({ msg: 'the fast lane has failed: going on without it' });
    expect([guest.lane.failed, guest.backend.identified]).toEqual([true, 1]);
    guest.backend.setView(sampleView({ config: new Map([['user.foo', 'new']]) }));
    expect(bodyOf(await exchange(guest.path, GET))).toBe('new');
  });
});
