/**
 * A program for a network namespace of its own: two members are connected, then their network loses everything, as if the
 * other host had lost its power. Prints how long each side takes to notice it, in ms, as JSON. With the argument `busy`
 * the request has a body that never ends.
 */
import { execFileSync } from 'node:child_process';
import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { LinkWorld } from './link-world.ts';

const ip = (...args: readonly string[]) => execFileSync('ip', args);
ip('link', 'set', 'lo', 'up');
const world = await LinkWorld.start('m1', 'm2');
const accepted = Promise.withResolvers<TLSSocket>();
world.member('m2').serve = (socket) => void socket.resume().once('data', () => accepted.resolve(socket));
const agent = world.member('m1').agents.of('m2');
const outgoing = request({ agent, method: 'POST', path: '/' });
const failed = new Promise<void>((resolve) => outgoing.once('error', () => resolve()));
const isBusy = process.argv[2] === 'busy';
const writing = setInterval(() => isBusy && outgoing.write('x'), 50);
outgoing.flushHeaders();
const socket = await accepted.promise;
const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
ip('link', 'set', 'lo', 'down');
const begun = performance.now();
const after = async (fact: Promise<void>) => {
  await fact;
  return Math.round(performance.now() - begun);
};
const [client, server] = await Promise.all([after(failed), after(closed)]);
clearInterval(writing);
process.stdout.write(JSON.stringify({ client, server }));
await world.stop();
