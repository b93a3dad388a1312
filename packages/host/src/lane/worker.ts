import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { setNice } from '../native/priority.ts';
import { LANE_NICE } from './lane-limits.ts';
import { Loop } from './loop.ts';
import type { LaneStart, Order } from './messages.ts';

/** The thread of the lane. It never goes back to Node's event loop, so orders are fetched, not delivered. */
const port = parentPort!;

// Where it may not, it is served as others are.
setNice(LANE_NICE);

new Loop(workerData as LaneStart, {
  next: () => receiveMessageOnPort(port)?.message as Order | undefined,
  report: (report) => port.postMessage(report),
}).run();
