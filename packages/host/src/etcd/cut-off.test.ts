import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Etcd, type EtcdOptions, openEtcd } from './client.ts';
import { LineSplitter } from './line-splitter.ts';
import type { WatchEnd } from './watch-types.ts';

// What a real etcd cannot be made to do at a given place: end in the middle of an answer, or answer nonsense.

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A client of servers that do what the handlers say. */
async function clientOf(
  ...parts: (Handler | Pick<EtcdOptions, 'login'>)[]
): Promise<{ etcd: Etcd; requests: string[] }> {
  const requests: string[] = [];
  const endpoints: string[] = [];
  let login: Pick<EtcdOptions, 'login'> = {};
  for (const handler of parts) {
    if (typeof handler !== 'function') {
      login = handler;
      continue;
    }
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      handler(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    endpoints.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    open.push(() => {
      server.close();
      server.closeAllConnections();
    });
  }
  const etcd = openEtcd({ endpoints, timeoutMs: 2_000, ...login });
  open.push(() => etcd.close());
  return { etcd, requests };
}

const answer =
  (text: string, status = 200): Handler =>
  (request, response) => {
    request.resume();
    response.writeHead(status).end(text);
  };

/** Sends a part of an answer, and cuts the connection. */
const cut =
  (part: string): Handler =>
  (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-length': 1000 });
    response.write(part, () => response.destroy());
  };

const RANGE = '{"header":{"revision":"7"},"kvs":[{"key":"aw==","value":"djE="}],"count":"1"}';
const WRITE = { compare: [], success: [{ put: { key: 'k', value: 'v' } }] };

describe('an answer that is cut off', () => {
  it('is asked for again elsewhere, for a read', async () => {
    const { etcd, requests } = await clientOf(cut('{"header"'), answer(RANGE));
    expect(await etcd.range({ key: 'k' })).toMatchObject({ revision: 7, kvs: [{ key: 'k', value: 'v1' }] });
    expect(requests).toHaveLength(2);
  });

  it('leaves a write unknown, and nobody else is asked', async () => {
    const { etcd, requests } = await clientOf(cut('{"header"'), answer('{"succeeded":true}'));
    await expect(etcd.txn(WRITE)).rejects.toMatchObject({ code: 'etcd-unknown' });
    expect(requests).toHaveLength(1);
  });

  it('leaves a write unknown if it does not even begin', async () => {
    const { etcd, requests } = await clientOf((request) => request.socket.destroy(), answer('{}'));
    await expect(etcd.txn(WRITE)).rejects.toMatchObject({ code: 'etcd-unknown' });
    expect(requests).toHaveLength(1);
  });

  it('of a watch is told once, without half an event', async () => {
    const line = '{"result":{"header":{"revision":"7"},"created":true}}\n';
    const half = '{"result":{"header":{"revision":"8"},"events":[{"kv":{"key":"aw=="';
    const { etcd } = await clientOf(cut(line + half));
    const ends: WatchEnd[] = [];
    const ended = Promise.withResolvers<void>();
    const watch = await etcd.watch({
      key: 'k',
      onEvents: () => expect.unreachable(),
      onEnd: (end) => {
        ends.push(end);
        ended.resolve();
      },
    });
    await ended.promise;
    watch.close();
    expect(ends).toMatchObject([{ reason: 'cut-off', error: { code: 'etcd-unreachable' } }]);
  });
});

/** A watch that is created, with what `onMessage` answers to each later message. */
const stream =
  (onMessage: (message: { progress_request?: object }, response: ServerResponse) => void): Handler =>
  (request, response) => {
    let isCreated = false;
    const lines = new LineSplitter();
    request.on('data', (bytes: Buffer) => {
      for (const line of lines.add(bytes)) {
        if (isCreated) onMessage(JSON.parse(line), response);
        else response.write('{"result":{"header":{"revision":"7"},"watch_id":"1","created":true}}\n');
        isCreated = true;
      }
    });
  };

describe('a watch', () => {
  it('stays if etcd answers no requests for progress, as some versions while nothing happens', async () => {
    const answered = Promise.withResolvers<void>();
    let refusals = 0;
    const refusal = {
      watch_id: '-1',
      created: true,
      canceled: true,
      cancel_reason: 'mvcc: duplicate watch ID',
    };
    const { etcd } = await clientOf(
      stream((message, response) => {
        if (message.progress_request) return;
        response.write(`${JSON.stringify({ result: refusal })}\n`);
        if (++refusals === 5) answered.resolve();
      }),
    );
    const ends: WatchEnd[] = [];
    const watch = await etcd.watch({
      key: 'k',
      silenceMs: 200,
      onEvents: () => expect.unreachable(),
      onProgress: () => expect.unreachable(),
      onEnd: (end) => ends.push(end),
    });
    await answered.promise;
    expect(ends).toEqual([]);
    watch.close();
  });

  it.each(['permission denied', 'invalid auth token'])(
    'is asked for again with a new token, if etcd says: %s',
    async (reason) => {
      const refusal = {
        watch_id: '-1',
        created: true,
        canceled: true,
        cancel_reason: `etcdserver: ${reason}`,
      };
      let tokens = 0;
      const handler: Handler = (request, response) => {
        if (request.url === '/v3/auth/authenticate') answer(`{"token":"t${++tokens}"}`)(request, response);
        else if (request.headers.authorization === 't2') stream(() => {})(request, response);
        else response.write(`${JSON.stringify({ result: refusal })}\n`);
      };
      const { etcd } = await clientOf(handler, { login: { user: 'u', password: 'p' } });
      const watch = await etcd.watch({ key: 'k', onEvents: () => {}, onEnd: () => {} });
      expect(watch.createdRevision).toBe(7);
      watch.close();
    },
  );
});

describe('what etcd says', () => {
  const refuse = (error: string, code: number, status: number) =>
    answer(JSON.stringify({ error, code }), status);

  it.each([
    ['etcdserver: request timed out', 4, 408],
    ['etcdserver: request timed out, possibly due to previous leader failure', 4, 408],
    ['context deadline exceeded', 4, 504],
    ['etcdserver: server stopped', 14, 503],
    ['something new', 2, 500],
  ])('of a write that may be done leaves it unknown: %s', async (text, code, status) => {
    const { etcd, requests } = await clientOf(refuse(text, code, status), answer('{}'));
    await expect(etcd.txn(WRITE)).rejects.toMatchObject({ code: 'etcd-unknown' });
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['etcdserver: no leader', 14, 503],
    ['etcdserver: too many requests', 8, 429],
  ])('of a write that did not begin lets another endpoint do it: %s', async (text, code, status) => {
    const { etcd, requests } = await clientOf(refuse(text, code, status), answer('{"succeeded":true}'));
    expect(await etcd.txn(WRITE)).toMatchObject({ succeeded: true });
    expect(await etcd.txn(WRITE)).toMatchObject({ succeeded: true });
    expect(requests).toHaveLength(3);
  });

  it('is tried again until the time is over, while there is no leader', async () => {
    let refused = 0;
    const { etcd } = await clientOf((request, response) =>
      (refused++ < 3 ? refuse('etcdserver: no leader', 14, 503) : answer(RANGE))(request, response),
    );
    expect(await etcd.range({ key: 'k' })).toMatchObject({ revision: 7 });
    expect(refused).toBe(4);
  });
});

describe('a request', () => {
  it('is given up by its signal', async () => {
    const { etcd } = await clientOf((request) => request.resume());
    const signal = AbortSignal.timeout(20);
    await expect(etcd.range({ key: 'k' }, { signal })).rejects.toMatchObject({
      code: 'etcd-unreachable',
      message: expect.stringContaining('given up'),
    });
  });

  it('ends with its time', async () => {
    const { etcd } = await clientOf((request) => request.resume());
    await expect(etcd.range({ key: 'k' }, { timeoutMs: 50 })).rejects.toMatchObject({
      message: expect.stringContaining('no answer in 0.'),
    });
  });

  it('is refused by a closed client', async () => {
    const { etcd, requests } = await clientOf(answer(RANGE));
    etcd.close();
    await expect(etcd.range({ key: 'k' })).rejects.toMatchObject({ code: 'etcd-unreachable' });
    expect(requests).toEqual([]);
  });

  it('that is answered by something else says so', async () => {
    const { etcd } = await clientOf(answer('404 page not found', 404));
    await expect(etcd.status()).rejects.toMatchObject({
      code: 'etcd-failed',
      message: expect.stringContaining('HTTP 404: 404 page not found'),
    });
  });

  it('that is answered with 200 and no JSON says so', async () => {
    const { etcd } = await clientOf(answer('<html>'));
    await expect(etcd.status()).rejects.toMatchObject({ code: 'etcd-failed' });
  });
});
