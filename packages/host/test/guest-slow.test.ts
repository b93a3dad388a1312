import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hostApi, until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Listener } from './harness/listener.ts';

const CHANGES = 400;
const VALUE = 'x'.repeat(20_000);
/** Most memory that one listener may cost: its queue, and the message that says why it is ended. */
const MEMORY_MAX = 64 * 1024 * 1024;

let daemon: TestDaemon;
let tools: CallerTools;
let init: number;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  tools = new CallerTools();
  await daemon.must('image', 'build', 'busybox');
  await daemon.must('launch', 'busybox', 'c1');
  init = await daemon.initPid('c1');
});
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});
afterAll(async () => {
  tools?.[Symbol.dispose]();
  await daemon?.destroy();
});

const listeners: Listener[] = [];
const open = async (kind: 'websocket' | 'stream', query: string) => {
  const listener = await Listener.open({ daemon, tools, init }, kind, query);
  listeners.push(listener);
  return listener;
};
const change = (value: string) =>
  hostApi(daemon).change('PATCH', '/1.0/instances/c1', { json: { config: { 'user.x': value } } });

function residentBytes(): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

describe.each(['websocket', 'stream'] as const)('a listener over a %s that does not read', (kind) => {
  it('does not affect the others, costs little memory, is ended, and can continue on a new connection', async () => {
    const reader = await open('websocket', '?since=now');
    const slow = await open(kind, '?since=now');
    await change(`${kind} first`);
    const [first] = await slow.first(1);
    const before = residentBytes();
    slow.freeze(true);
    for (let turn = 0; turn < CHANGES; turn++) await change(`${turn} ${VALUE}`);
    const seen = await reader.first(CHANGES + 1);
    expect(seen.map(({ metadata }) => String(metadata['value']).split(' ')[0]).slice(1)).toEqual(
      Array.from({ length: CHANGES }, (_, turn) => String(turn)),
    );
    await until('only the reader is left', () => daemon.connections().length === 1);
    expect(residentBytes() - before).toBeLessThan(MEMORY_MAX);
    slow.freeze(false);
    await slow.ended;
    const last = slow.events.at(-1) ?? first;
    const again = await open(kind, `?since=${last?.sequence}`);
    await again.first(seen.length - seen.findIndex(({ sequence }) => sequence === last?.sequence) - 1);
    expect([...slow.events, ...again.events]).toEqual(seen);
  });
});
