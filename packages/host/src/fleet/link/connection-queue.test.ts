import { createServer as createHttpServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { silentLog } from '../../base/log.ts';
import { get } from '../testing/get.ts';
import { LinkWorld } from '../testing/link-world.ts';
import { CONNECTIONS_TO_MEMBER_MAX } from './link-limits.ts';
import { LinkServer } from './link-server.ts';

let world: LinkWorld;

beforeEach(async () => {
  world = await LinkWorld.start('m1', 'm2');
});

afterEach(() => world.stop());

const agent = () => world.member('m1').agents.of('m2');

it('takes any number of requests to a member at once: those that are too many wait, and none is refused', async () => {
  const held: (() => void)[] = [];
  const http = createHttpServer((_request, response) => void held.push(() => response.end('done')));
  world.member('m2').serve = (socket) => void http.emit('connection', socket);
  const all = Array.from({ length: CONNECTIONS_TO_MEMBER_MAX + 50 }, () => get(agent()));
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
  const got = get(agent());
  const failed = got.then(
    () => 'too early',
    () => 'too early',
  );
  let isServing = false;
  const next = new LinkServer({ identity, known, serve, isServing: () => isServing, log: silentLog });
  // While nothing listens, and while the one that listens does not serve yet.
  expect(await Promise.race([failed, sleep(200, 'waits')])).toBe('waits');
  await next.listen({ host: '127.0.0.1', port: world.member('m2').port });
  expect(await Promise.race([failed, sleep(200, 'waits')])).toBe('waits');
  isServing = true;
  expect((await got).text).toBe('m2 /x');
  agent().close();
  await next.stop();
});
