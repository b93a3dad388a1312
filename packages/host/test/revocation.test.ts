import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { Crowd } from './harness/crowd.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

/** How long a connection may stay open after it has lost its permission. */
const GRACE_MS = 1000;

let tools: CallerTools;
let daemon: TestDaemon;
let operator: Operator;

/** A connection that a process of the instance has made, and the data received on it. */
class Held {
  received = '';
  endedMs = 0;
  readonly #socket: Socket;

  constructor(socket: Socket, request: string) {
    this.#socket = socket;
    const ended = () => {
      this.endedMs ||= performance.now();
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
    socket.on('error', ended).once('end', ended).once('close', ended);
    socket.write(request);
  }

  /** Sends one more request, and closes the connection. */
  askAgain(): void {
    this.#socket.write('GET /1.0/config/user.id HTTP/1.1\r\nHost: lxd\r\n\r\n');
    this.#socket.destroy();
  }
}

const HEAD = 'HTTP/1.1\r\nHost: lxd\r\n';
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

/** Kinds of connections: the bytes to send, and the text received once the daemon has handled them. */
const KINDS: readonly [kind: string, request: string, taken: string][] = [
  ['idle', `GET /1.0/config/user.id ${HEAD}\r\n`, '\r\n\r\nc'],
  ['plain stream', `GET /1.0/events ${HEAD}\r\n`, '200 OK'],
  ['websocket', `GET /1.0/events ${HEAD}${UPGRADE}\r\n`, '101 Switching'],
  ['half-sent head', 'GET /1.0/config/user.id HTT', ''],
  ['half-sent body', `PATCH /1.0 ${HEAD}Content-Length: 20\r\n\r\n{"state`, ''],
];

/** Opens one connection of each kind from an instance, and waits until the daemon has handled each. */
async function holdAll(init: number): Promise<Held[]> {
  const held: Held[] = [];
  for (const [, request] of KINDS) {
    held.push(new Held(await tools.handedOver(init, daemon.guestSocket), request));
  }
  const isTaken = ([, , taken]: (typeof KINDS)[number], index: number) =>
    held[index]?.received.includes(taken);
  await until('all are taken in', () => KINDS.every(isTaken));
  return held;
}

/** The data that may come at the end: none, or a websocket's close frame. */
const NOTHING = /^(\x88[\s\S]{1,126})?$/;

/** @returns the kinds that have stayed open too long after an action, or have received anything after it */
async function outliving(init: number, act: () => Promise<unknown>): Promise<string[]> {
  const held = await holdAll(init);
  const before = held.map(({ received }) => received);
  await act();
  const over = performance.now();
  await until('all have ended', () => held.every(({ endedMs }) => endedMs > 0));
  return KINDS.filter((_, index) => {
    const { endedMs, received } = held[index] as Held;
    const after = received.slice(before[index]?.length);
    return endedMs - over > GRACE_MS || !NOTHING.test(after);
  }).map(([kind]) => kind);
}

const cutOff = (reason: string, from: number) =>
  daemon.log
    .slice(from)
    .filter((line) => line.msg === 'connections of an instance ended' && line['reason'] === reason)
    .reduce((sum, line) => sum + Number(line['connections']), 0);

describe.each([[[]], [['--fast-lane', 'off']]])('connections with the settings %j', (flags: string[]) => {
  beforeAll(async () => {
    tools = new CallerTools();
    daemon = await TestDaemon.start([...flags, '--guest-request-seconds', '60']);
    operator = new Operator(daemon);
    await daemon.must('image', 'build', 'busybox');
  });
  afterAll(async () => {
    tools?.[Symbol.dispose]();
    await daemon?.destroy();
  });

  it('end with the instance, when it is stopped, with a line in the log', async () => {
    await operator.launch('c1', { config: { 'user.id': 'c1' } });
    const from = daemon.log.length;
    const stop = () => operator.state('c1', 'stop', { force: true });
    expect(await outliving(await operator.pid('c1'), stop)).toEqual([]);
    expect(cutOff('instance stopped', from)).toBe(KINDS.length);
  });

  it('end with security.devlxd, with a line in the log', async () => {
    await operator.state('c1', 'start');
    const from = daemon.log.length;
    const set = (value: string | null) => operator.patch('c1', { config: { 'security.devlxd': value } });
    expect(await outliving(await operator.pid('c1'), () => set('false'))).toEqual([]);
    expect(cutOff('security.devlxd is false', from)).toBe(KINDS.length);
    await set(null);
  });

  it('end when the instance is restarted, when it is renamed, and when it is deleted and made again', async () => {
    const again = async () => {
      await operator.state('c1', 'restart', { force: true });
    };
    expect(await outliving(await operator.pid('c1'), again)).toEqual([]);
    const renamed = async () => {
      await operator.state('c1', 'stop', { force: true });
      await operator.client.change('POST', '/1.0/instances/c1', { json: { name: 'c2' } });
      await operator.state('c2', 'start');
    };
    const held = await holdAll(await operator.pid('c1'));
    await renamed();
    const makeAgain = async () => {
      await operator.state('c2', 'stop', { force: true });
      await operator.delete('c2');
      await operator.launch('c2', { config: { 'user.id': 'c2, the second' } });
    };
    held.push(...(await holdAll(await operator.pid('c2'))));
    await makeAgain();
    for (const each of held) each.askAgain();
    await until('all have ended', () => held.every(({ endedMs }) => endedMs > 0));
    expect(held.filter(({ received }) => received.includes('the second'))).toEqual([]);
    await operator.state('c2', 'stop', { force: true });
    await operator.delete('c2');
  });

  it('end when an adopted instance is deleted, although its processes continue to run', async () => {
    await using crowd = await Crowd.make(1);
    await daemon.must('adopt', 'theirs', '--pid', String(crowd.pid()), '-c', 'user.id=c, theirs');
    const from = daemon.log.length;
    expect(await outliving(crowd.pid(), () => operator.delete('theirs'))).toEqual([]);
    expect(cutOff('instance deleted', from)).toBe(KINDS.length);
  });
});
