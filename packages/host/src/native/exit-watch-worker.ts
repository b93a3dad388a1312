import { parentPort, workerData } from 'node:worker_threads';
import { END_KEY, EVENT_BYTES, eventKey, waitForEvents } from './epoll.ts';

const EVENTS_MAX = 64;
const FOREVER = -1;

const { epoll } = workerData as { epoll: number };
const events = Buffer.alloc(EVENT_BYTES * EVENTS_MAX);

function wait(): boolean {
  const count = waitForEvents(epoll, events, EVENTS_MAX, FOREVER);
  for (let index = 0; index < count; index++) {
    const key = eventKey(events, index);
    if (key === END_KEY) return false;
    parentPort?.postMessage(key);
  }
  return true;
}

while (wait());
