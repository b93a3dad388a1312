import { expect, it } from 'vitest';
import { until } from '../harness/api.ts';
import { CallerTools } from '../harness/caller.ts';
import { TestDaemon } from '../harness/daemon.ts';
import { Listener } from '../harness/listener.ts';
import { Operator } from '../harness/operator.ts';

/** Time for three pings without an answer, at intervals of ten seconds, and some reserve. */
const DEAD_MS = 60_000;

// `packages/host/src/guest/events.test.ts` tests the same with pings that come faster.
it.each([[[]], [['--fast-lane', 'off']]])(
  'the daemon closes the websocket of a stopped process, also without an event to send, with the settings %j',
  async (flags: string[]) => {
    await using daemon = await TestDaemon.start(flags);
    using tools = new CallerTools();
    const operator = new Operator(daemon);
    await daemon.must('image', 'build', 'busybox');
    await operator.launch('c1');
    const place = { daemon, tools, init: await operator.pid('c1') };
    const dead = await Listener.open(place, 'websocket', '');
    const alive = await Listener.open(place, 'websocket', '');
    dead.freeze(true);
    expect(daemon.connections()).toHaveLength(2);
    await until('only one is left', () => daemon.connections().length === 1, DEAD_MS);
    dead.freeze(false);
    await dead.ended;
    await operator.patch('c1', { config: { 'user.x': 'last' } });
    await alive.first(1);
    await alive.close();
  },
);
