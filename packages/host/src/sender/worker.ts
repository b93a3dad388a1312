import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { EpollSet } from '../native/epoll-set.ts';
import { clearWake } from '../native/eventfd.ts';
import type { SenderOrder, SenderStart, Sent } from './messages.ts';
import { WAIT_MS_MAX } from './send-limits.ts';
import { Sending } from './sending.ts';

/** The thread that sends files: a part of each in turn, as long as their sockets take any. */
const { wake } = workerData as SenderStart;
const port = parentPort!;
const epoll = new EpollSet();
const sendings = new Map<number, Sending>();
let stopped = false;

epoll.add(wake);
while (!stopped) turn();
epoll.close();

function turn(): void {
  const busy = [...sendings.values()].some(({ ready }) => ready);
  note(epoll.wait(busy ? 0 : WAIT_MS_MAX));
  const nowMs = performance.now();
  for (const sending of sendings.values()) {
    const outcome = sending.ready ? sending.step(nowMs) : sending.stalled(nowMs) ? 'client-gone' : undefined;
    if (outcome !== undefined) finish(sending, outcome);
  }
}

function note(count: number): void {
  for (let index = 0; index < count; index++) {
    const sending = sendings.get(epoll.ready(index));
    if (sending !== undefined) sending.ready = true;
    else applyAll();
  }
}

function applyAll(): void {
  clearWake(wake);
  for (;;) {
    const order = receiveMessageOnPort(port)?.message as SenderOrder | undefined;
    if (order === undefined) return;
    if (order === 'stop') stopped = true;
    else begin(new Sending(order, performance.now()));
  }
}

function begin(sending: Sending): void {
  sendings.set(sending.stretch.socket, sending);
  epoll.addWritable(sending.stretch.socket);
}

function finish({ stretch: { socket } }: Sending, outcome: Sent['outcome']): void {
  epoll.remove(socket);
  sendings.delete(socket);
  port.postMessage({ socket, outcome } satisfies Sent);
}
