import { parentPort, workerData } from 'node:worker_threads';
import { END_KEY, EVENT_BYTES, eventKey } from './epoll.ts';
import { declare } from './libc.ts';

const epollWait = declare('int epoll_wait(int epfd, _Out_ void *events, int max, int timeout)');

const EVENTS_MAX = 64;
const FOREVER = -1;

const { epoll } = workerData as { epoll: number };
const events = Buffer.alloc(EVENT_BYTES * EVENTS_MAX);

function wait(): boolean {
  const count = epollWait(epoll, events, EVENTS_MAX, FOREVER);
  for (let index = 0; index < count; index++) {
    const key = eventKey(events, index);
    if (key === END_KEY) return false;
    parentPort?.postMessage(key);
  }
  return true;
}

while (wait());
