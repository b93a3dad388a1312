import { connect as connectPlain, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { get } from '../testing/get.ts';
import { LinkWorld } from '../testing/link-world.ts';
import { HANDSHAKES_MAX } from './link-limits.ts';
import { MemberAgent } from './member-agent.ts';

let world: LinkWorld;

beforeEach(async () => {
  world = await LinkWorld.start('m1', 'm2');
});

afterEach(() => world.stop());

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

  it('asks at the new address when a member has moved', async () => {
    await get(agentTo('m2'));
    const moved = await world.add('m3');
    const of = { name: 'm2', address: `127.0.0.1:${moved.port}`, fingerprint: moved.identity.fingerprint };
    world.known.set('m2', of);
    expect((await get(agentTo('m2'))).text).toBe('m3 /x');
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
