import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEvents } from '../src/client/events.ts';
import type { EventJson } from '../src/wire/event.ts';
import { ask } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { Crowd } from './harness/crowd.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const KEPT = 1_000;
/**
 * All instances but the first write. Together they cause more events than the operators' half of the journal.
 */
const INSTANCES = 21;
/** As many writes as an instance may make at once. */
const WRITES = 32;
/** How many of the operators' first events are checked. */
const OPERATORS = 20;

let daemon: TestDaemon;
let operator: Operator;
let crowd: Crowd;
let tools: CallerTools;

beforeAll(async () => {
  daemon = await TestDaemon.start(['--journal-events', String(KEPT)]);
  tools = new CallerTools();
  crowd = await Crowd.make(INSTANCES);
  operator = new Operator(daemon);
  for (let number = 0; number < INSTANCES; number++) {
    const source = { type: 'adopt', pid: crowd.pid(number) };
    const config = { 'security.devlxd.guest_config': 'true' };
    await operator.client.change('POST', '/1.0/instances', { json: { name: `c${number}`, source, config } });
  }
  await operator.patch('c0', { config: { 'user.a': '1' } });
});
afterAll(async () => {
  await crowd?.[Symbol.asyncDispose]();
  await daemon?.destroy();
  tools?.[Symbol.dispose]();
});

/** Reads the first events of the host's journal. */
async function first(count: number): Promise<EventJson[]> {
  const stream = await openEvents(daemon.hostSocket, ['lifecycle'], '0');
  const events: EventJson[] = [];
  for await (const event of stream) {
    events.push(event);
    if (events.length === count) break;
  }
  stream.close();
  return events;
}

/** Has an instance write as often as it may. @returns how many of its writes were stored */
async function writes(number: number): Promise<number> {
  const requests = Array.from(
    { length: WRITES },
    (_, at) => `PUT /1.0/config/guest.k HTTP/1.1\r\nHost: lxd\r\nContent-Length: 4\r\n\r\nv${100 + at}`,
  );
  const [answers] = await tools.exchange(crowd.pid(number), daemon.guestSocket, [
    Buffer.from(requests.join('')),
  ]);
  return String(answers).split('HTTP/1.1 200 ').length - 1;
}

describe('the journal', () => {
  it('keeps the events of operators, however many events instances cause', async () => {
    const before = await first(OPERATORS);
    const writing = Array.from({ length: INSTANCES - 1 }, (_, index) => writes(index + 1));
    const stored = (await Promise.all(writing)).reduce((sum, each) => sum + each, 0);
    expect(stored).toBeGreaterThan(KEPT / 2);
    expect(await first(OPERATORS)).toEqual(before);
  });

  it('keeps its events when the clock of the host was set a year ahead', async () => {
    const events = await first(OPERATORS);
    await daemon.stop();
    const database = new DatabaseSync(join(daemon.stateDir, 'porthole.db'));
    // The test must not set the host's clock: it sets all stored events back by a year instead.
    database.exec("UPDATE events SET timestamp = strftime('%Y-%m-%dT%H:%M:%fZ', timestamp, '-1 year')");
    database.close();
    await daemon.start();
    // Events that are too old are dropped with the next change at the latest.
    await operator.patch('c0', { config: { 'user.a': '2' } });
    const sequences = (all: readonly EventJson[]) => all.map(({ sequence }) => sequence);
    expect(sequences(await first(OPERATORS))).toEqual(sequences(events));
    const { body } = await ask(daemon, { init: crowd.pid(0) }, '/1.0/events?since=0&limit=1');
    expect(JSON.parse(body)).toMatchObject({ events: [{ metadata: { key: 'user.a', value: '1' } }] });
  });
});
