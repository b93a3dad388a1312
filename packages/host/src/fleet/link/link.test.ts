import { type Agent, createServer as createHttpServer, request } from 'node:http';
import { connect as connectPlain, createServer as createPlainServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { silentLog } from '../../base/log.ts';
import { LinkWorld } from '../testing/link-world.ts';
import { CONNECTIONS_TO_MEMBER_MAX, HANDSHAKES_MAX, HANDSHAKES_TO_MEMBER_MAX } from './link-limits.ts';
import { LinkServer } from './link-server.ts';
import { MemberAgent } from './member-agent.ts';

let world: LinkWorld;

beforeEach(async () => {
  world = await LinkWorld.start('m1', 'm2');
});

afterEach(() => world.stop());

interface Got {
  readonly text: string;
  readonly reused: boolean;
}

/** The answer to a request through an agent. */
function get(agent: Agent, path = '/x'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, path }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk) => {
        text += chunk;
      });
      incoming.on('error', reject);
      incoming.on('end', () => resolve({ text, reused: outgoing.reusedSocket }));
    });
    outgoing.on('error', reject).end();
  });
}

const agentTo = (name: string) => world.member('m1').agents.of(name);
const portOf = (name: string) => world.member(name).port;

/** All bytes that a connection gets until its end. */
function bytesOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

describe('between two members', () => {
  it('carries requests, over connections that are kept', async () => {
    expect(await get(agentTo('m2'), '/a')).toEqual({ text: 'm2 /a', reused: false });
    expect(await get(agentTo('m2'), '/b')).toEqual({ text: 'm2 /b', reused: true });
    expect(await Promise.all(Array.from({ length: 50 }, (_, i) => get(agentTo('m2'), `/${i}`)))).toHaveLength(
      50,
    );
  });

  it('tells the one that accepts who is there', async () => {
    const asked: string[] = [];
    const { serve } = world.member('m2');
    world.member('m2').serve = (socket, member) => {
      asked.push(member);
      serve(socket, member);
    };
    await get(agentTo('m2'));
    expect(asked).toEqual(['m1']);
  });

  it('says which member does not exist, or does not listen', async () => {
    expect(() => agentTo('m9')).toThrow('The fleet has no member "m9"');
    await world.member('m2').server.stop();
    await expect(get(agentTo('m2'))).rejects.toMatchObject({ code: 'member-offline', status: 503 });
  });

  it('takes any number of requests at once: those that are too many wait, and none is refused', async () => {
    const held: (() => void)[] = [];
    const http = createHttpServer((_request, response) => void held.push(() => response.end('done')));
    world.member('m2').serve = (socket) => void http.emit('connection', socket);
    const all = Array.from({ length: CONNECTIONS_TO_MEMBER_MAX + 50 }, () => get(agentTo('m2')));
    const answered = Promise.all(all);
    while (held.length < CONNECTIONS_TO_MEMBER_MAX) await Promise.race([answered, sleep(10)]);
    const answering = setInterval(() => {
      for (const answer of held.splice(0)) answer();
    }, 10);
    expect(new Set((await answered).map(({ text }) => text))).toEqual(new Set(['done']));
    clearInterval(answering);
  }, 30_000);

  it('waits for a daemon that restarts in place, and does not listen for a moment', async () => {
    const { identity, serve } = world.member('m2');
    const known = () => new Map([[world.member('m1').identity.fingerprint, 'm1']]);
    await world.member('m2').server.stop();
    const got = get(agentTo('m2'));
    const failed = got.then(
      () => 'too early',
      () => 'too early',
    );
    let isServing = false;
    const next = new LinkServer({ identity, known, serve, isServing: () => isServing, log: silentLog });
    // While nothing listens, and while the one that listens does not serve yet.
    expect(await Promise.race([failed, sleep(200, 'waits')])).toBe('waits');
    await next.listen({ host: '127.0.0.1', port: portOf('m2') });
    expect(await Promise.race([failed, sleep(200, 'waits')])).toBe('waits');
    isServing = true;
    expect((await got).text).toBe('m2 /x');
    agentTo('m2').close();
    await next.stop();
  });

  it('asks at the new address when a member has moved', async () => {
    await get(agentTo('m2'));
    const moved = await world.add('m3');
    const of = { name: 'm2', address: `127.0.0.1:${moved.port}`, fingerprint: moved.identity.fingerprint };
    world.known.set('m2', of);
    expect((await get(agentTo('m2'))).text).toBe('m3 /x');
  });
});

describe('a member without a lease', () => {
  const STANDSTILL_MS = 100;
  /** Connections to m2, or to another port with its certificate. */
  const doubting = (port = portOf('m2')) => {
    const { fingerprint } = world.member('m2').identity;
    const peer = { name: 'm2', address: `127.0.0.1:${port}`, fingerprint };
    return new MemberAgent(peer, world.member('m1').identity, undefined, STANDSTILL_MS);
  };
  /** Takes one connection, and stands still for all others. */
  const onlyOne = async (serve: (socket: TLSSocket) => void) => {
    let count = 0;
    const server = createServer(world.member('m2').identity.tls, (socket) => {
      socket.on('error', () => {});
      if (count++ > 0) return;
      socket.write('porthole-link 1 accepted\n');
      socket.once('data', () => serve(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, port: (server.address() as { port: number }).port };
  };

  it('from which nothing comes may still carry out what it has got: the error says so', async () => {
    const asked = Promise.withResolvers<void>();
    const { server, port } = await onlyOne(() => asked.resolve());
    const agent = doubting(port);
    const got = get(agent);
    await asked.promise;
    void agent.doubt(() => false);
    await expect(got).rejects.toMatchObject({
      ...{ code: 'member-lost', status: 503 },
      message: expect.stringContaining('"m2"'),
    });
    server.close();
  });

  it('gets none of those that wait for a connection: they end at the same time, and the error says that', async () => {
    const asked = Promise.withResolvers<void>();
    const { server, port } = await onlyOne(() => asked.resolve());
    const agent = doubting(port);
    const sent = get(agent);
    await asked.promise;
    const all = Array.from({ length: 15 * HANDSHAKES_TO_MEMBER_MAX }, () => get(agent));
    const began = performance.now();
    const doubt = agent.doubt(() => false);
    await expect(sent).rejects.toMatchObject({ code: 'member-lost' });
    for (const each of await Promise.allSettled(all))
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'member-offline' } });
    expect(performance.now() - began).toBeLessThan(10 * STANDSTILL_MS);
    // There is nothing left to doubt.
    await doubt;
    server.close();
  });

  it('keeps them while any byte comes', async () => {
    const ended = Promise.withResolvers<void>();
    const { server, port } = await onlyOne((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n');
      let left = 40;
      const timer = setInterval(() => {
        socket.write('x');
        if (--left === 0) ended.resolve(clearInterval(timer));
      }, STANDSTILL_MS / 4);
    });
    const agent = doubting(port);
    const got = get(agent);
    let over = false;
    void agent.doubt(() => over);
    await ended.promise;
    expect((await got).text).toBe('x'.repeat(40));
    over = true;
    agent.close();
    server.close();
  });

  it('keeps them while it takes new connections', async () => {
    const { serve } = world.member('m2');
    const [first, fourth] = [Promise.withResolvers<TLSSocket>(), Promise.withResolvers<void>()];
    let count = 0;
    world.member('m2').serve = (socket) => {
      count++;
      if (count === 1) first.resolve(socket);
      if (count === 4) fourth.resolve();
    };
    const agent = doubting();
    const got = get(agent);
    const socket = await first.promise;
    void agent.doubt(() => false);
    await fourth.promise;
    serve(socket, 'm1');
    expect((await got).text).toBe('m2 /x');
    agent.close();
  });

  it('keeps them if it gets one in time', async () => {
    const asked = Promise.withResolvers<TLSSocket>();
    const { server, port } = await onlyOne(asked.resolve);
    const agent = doubting(port);
    const got = get(agent);
    const socket = await asked.promise;
    let hasLease = false;
    const doubt = agent.doubt(() => hasLease);
    hasLease = true;
    await doubt;
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx');
    expect((await got).text).toBe('x');
    agent.close();
    server.close();
  });
});

describe('a member that was removed', () => {
  it('loses its kept connections, and gets no new ones', async () => {
    const sockets: TLSSocket[] = [];
    const { serve } = world.member('m2');
    world.member('m2').serve = (socket, member) => {
      sockets.push(socket);
      serve(socket, member);
    };
    const agent = agentTo('m2');
    await get(agent);
    const [kept] = Object.values(agent.freeSockets).flat();
    const closed = Promise.all(
      [kept, sockets[0]].map((each) => new Promise((end) => each?.once('close', end))),
    );
    world.known.delete('m1');
    world.member('m2').server.recheck();
    await closed;
    await expect(get(agent)).rejects.toMatchObject({
      code: 'member-refused',
      message: expect.stringContaining('does not know the certificate of this member'),
    });
    expect(sockets).toHaveLength(1);
  });

  it('is asked no more, also where a websocket was open', async () => {
    const agent = agentTo('m2');
    await get(agent);
    const [socket] = Object.values(agent.freeSockets).flat();
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    world.known.delete('m2');
    world.recheck();
    await closed;
    await expect(get(agent)).rejects.toMatchObject({ code: 'member-offline' });
  });
});

describe('a stranger', () => {
  const serveNobody = () => {
    world.member('m2').serve = () => expect.fail('a stranger was served');
  };

  it('without a certificate gets nothing but the refusal', async () => {
    serveNobody();
    const socket = connect({ port: portOf('m2'), rejectUnauthorized: false });
    socket.once('secureConnect', () => socket.write('GET /1.0 HTTP/1.1\r\nHost: x\r\n\r\n'));
    expect(await bytesOf(socket)).toBe('porthole-link 1 refused no-certificate\n');
  });

  it('with a certificate of its own gets nothing but the refusal, and an error that says so', async () => {
    serveNobody();
    const identity = await world.stranger('stranger');
    const peer = {
      name: 'm2',
      address: `127.0.0.1:${portOf('m2')}`,
      fingerprint: world.member('m2').identity.fingerprint,
    };
    await expect(get(new MemberAgent(peer, identity))).rejects.toMatchObject({
      code: 'member-refused',
      status: 503,
    });
  });

  it.each(['TLSv1.2', 'TLSv1.1'] as const)('has no handshake with %s', async (version) => {
    serveNobody();
    const { cert, key } = world.member('m1').identity.tls;
    const socket = connect({
      ...{ port: portOf('m2'), cert, key, rejectUnauthorized: false },
      ...{ minVersion: version, maxVersion: version },
    });
    let shaken = false;
    socket.once('secureConnect', () => {
      shaken = true;
    });
    await bytesOf(socket);
    expect(shaken).toBe(false);
  });

  it('that sends garbage or HTTP without TLS is cut off, and members are served', async () => {
    serveNobody();
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\0'.repeat(5000), 'x', '\x16\x03\x01\xff\xff\x01']) {
      const socket = connectPlain(portOf('m2'), '127.0.0.1', () => socket.end(garbage, 'latin1'));
      expect(await bytesOf(socket)).not.toContain('porthole-link');
    }
    world.member('m2').serve = (socket) => void socket.end('served');
    const agent = agentTo('m2');
    await expect(get(agent)).rejects.toThrow();
  });

  it('that does not go on with its handshake is cut off in time', async () => {
    const slow = await world.add('slow', 100);
    const socket = connectPlain(slow.port, '127.0.0.1', () => socket.write('\x16\x03\x01', 'latin1'));
    await bytesOf(socket);
    expect((await get(agentTo('slow'))).text).toBe('slow /x');
  });

  it('cannot keep members out with handshakes that do not end: the oldest makes room', async () => {
    const sockets = Array.from({ length: HANDSHAKES_MAX + 10 }, () =>
      connectPlain(portOf('m2'), '127.0.0.1'),
    );
    const ended = sockets.slice(0, 1).map(bytesOf);
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.on('connect', resolve).on('error', resolve))),
    );
    await Promise.all(ended);
    expect((await get(agentTo('m2'))).text).toBe('m2 /x');
    for (const socket of sockets) socket.destroy();
  });
});

describe('at the address of a member', () => {
  it('another member is refused before any request is sent', async () => {
    const m3 = await world.add('m3');
    m3.serve = (socket) => void socket.once('data', () => expect.fail('a request was sent'));
    const { fingerprint } = world.member('m2').identity;
    world.known.set('m2', { name: 'm2', address: `127.0.0.1:${m3.port}`, fingerprint });
    await expect(get(agentTo('m2'))).rejects.toMatchObject({
      code: 'member-refused',
      message: expect.stringContaining('its certificate is not that of the member'),
    });
  });

  it('a server of another kind is refused, or does not answer in time', async () => {
    const { tls, fingerprint } = world.member('m2').identity;
    const identity = world.member('m1').identity;
    const to = (port: number) =>
      new MemberAgent({ name: 'm2', address: `127.0.0.1:${port}`, fingerprint }, identity, 200);
    const answers = {
      plain: createPlainServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n').on('error', () => {})),
      silent: createPlainServer((socket) => socket.on('error', () => {})),
      http: createServer(tls, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
      long: createServer(tls, (socket) => socket.end('x'.repeat(5000))),
      mute: createServer(tls, () => {}),
      old: createServer({ cert: tls.cert, key: tls.key, maxVersion: 'TLSv1.2' }, () => {}),
    };
    const outcome: Record<string, string> = {};
    for (const [name, server] of Object.entries(answers)) {
      const sockets = new Set<Socket>();
      server.on('connection', (socket: Socket) => sockets.add(socket));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      outcome[name] = await get(to(port)).then(
        () => 'answered',
        (error) => error.code,
      );
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    expect(outcome).toEqual({
      ...{
        plain: 'member-refused',
        silent: 'member-offline',
        http: 'member-refused',
        long: 'member-refused',
      },
      ...{ mute: 'member-offline', old: 'member-refused' },
    });
  });
});
