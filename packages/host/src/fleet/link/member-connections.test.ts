import { createServer as createPlainServer, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { get } from '../testing/get.ts';
import { LinkWorld } from '../testing/link-world.ts';
import { MemberAgent } from './member-agent.ts';

let world: LinkWorld;

beforeEach(async () => {
  world = await LinkWorld.start('m1', 'm2');
});

afterEach(() => world.stop());

describe('at the address of a member', () => {
  it('another member is refused before any request is sent', async () => {
    const m3 = await world.add('m3');
    m3.serve = (socket) => void socket.once('data', () => expect.fail('a request was sent'));
    const { fingerprint } = world.member('m2').identity;
    world.known.set('m2', { name: 'm2', address: `127.0.0.1:${m3.port}`, fingerprint });
    await expect(get(world.member('m1').agents.of('m2'))).rejects.toMatchObject({
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
