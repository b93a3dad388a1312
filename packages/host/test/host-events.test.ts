import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEvents } from '../src/client/events.ts';
import type { EventJson, LifecycleJson } from '../src/wire/event.ts';
import { TestDaemon } from './harness/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.must('image', 'build', 'busybox');
});
afterAll(() => daemon?.destroy());

/** Opens a stream, takes its next events and closes it. */
async function take(count: number, types: string[], since?: string): Promise<EventJson[]> {
  const stream = await openEvents(daemon.hostSocket, types, since);
  const events: EventJson[] = [];
  for await (const event of stream) {
    events.push(event);
    if (events.length === count) break;
  }
  stream.close();
  return events;
}

const actions = (events: readonly EventJson[]) =>
  events.map(({ metadata }) => (metadata as LifecycleJson).action);

describe('lifecycle events from a position on', () => {
  it('are complete and in order, also after the daemon was killed', async () => {
    await daemon.must('launch', 'busybox', 'c1');
    await daemon.must('stop', '-f', 'c1');
    await daemon.kill();
    await daemon.start();
    await daemon.must('delete', 'c1');
    const told = await take(6, ['lifecycle'], '0');
    expect(actions(told)).toEqual([
      'image-created',
      'image-alias-created',
      'instance-created',
      'instance-started',
      'instance-stopped',
      'instance-deleted',
    ]);
    const numbers = told.map(({ sequence }) => sequence as number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    const rest = await take(2, ['lifecycle'], String(numbers[3]));
    expect(rest).toEqual(told.slice(4));
  });

  it('have no sequence on the stream of a client that gives no position', async () => {
    const stream = openEvents(daemon.hostSocket, ['lifecycle']);
    const next = (async () => {
      for await (const event of await stream) return event;
      return undefined;
    })();
    await stream;
    await daemon.must('profile', 'create', 'p1');
    const event = await next;
    expect(event && Object.keys(event)).toEqual(['type', 'timestamp', 'location', 'metadata', 'project']);
    (await stream).close();
  });

  it('are refused for a position that this host has never given', async () => {
    await expect(openEvents(daemon.hostSocket, [], '999999')).rejects.toMatchObject({
      status: 410,
      message: expect.stringContaining('Position is not known: the newest is '),
    });
    const { stderr } = await daemon.porthole('monitor', '--since', 'yesterday');
    expect(stderr).toContain('Invalid position');
  });
});
