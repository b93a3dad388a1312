import { createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { get } from '../testing/get.ts';
import { LinkWorld } from '../testing/link-world.ts';
import { HANDSHAKES_TO_MEMBER_MAX } from './link-limits.ts';
import { MemberAgent } from './member-agent.ts';

let world: LinkWorld;

beforeEach(async () => {
  world = await LinkWorld.start('m1', 'm2');
});

afterEach(() => world.stop());

describe('a member without a lease', () => {
  const STANDSTILL_MS = 100;
  /** Connections to m2, or to another port with its certificate. */
  const doubting = (port = world.member('m2').port) => {
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
