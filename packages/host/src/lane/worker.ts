import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { keepCompiledCode } from '../base/compiled-code.ts';
import { setNice } from '../native/priority.ts';
import { LANE_NICE } from './lane-limits.ts';
import { Loop } from './loop.ts';
import type { LaneStart, Order } from './messages.ts';

/** The lane's thread. It never returns to Node's event loop, so it fetches its orders and gets no events. */
const port = parentPort!;

// Without the permission for this, the thread keeps the normal priority.
setNice(LANE_NICE);

keepCompiledCode();

new Loop(workerData as LaneStart, {
  next: () => receiveMessageOnPort(port)?.message as Order | undefined,
  report: (report) => port.postMessage(report),
}).run();
