import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Loop } from './loop.ts';
import type { LaneStart, Order } from './messages.ts';

/** The thread of the lane. It never goes back to Node's event loop, so orders are fetched, not delivered. */
const port = parentPort!;

new Loop(workerData as LaneStart, {
  next: () => receiveMessageOnPort(port)?.message as Order | undefined,
  report: (report) => port.postMessage(report),
}).run();
