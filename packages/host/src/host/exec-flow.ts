import { WebSocket } from 'ws';
import type { ExecProcess } from '../runtimes/contract/exec.ts';
import { EXEC_OUTPUT_BYTES_HIGH, EXEC_OUTPUT_BYTES_LOW } from './host-limits.ts';

/** Sends output at the pace at which clients take it. */
export interface OutputPump {
  /** Sends output on a websocket; output for a closed websocket is dropped. */
  send(socket: WebSocket | undefined, data: Uint8Array): void;
}

/**
 * Stops reading the process while too many bytes wait for one of its websockets.
 * @param outputs all websockets that output goes to
 */
export function pumpOutput(process: ExecProcess, outputs: readonly WebSocket[]): OutputPump {
  let paused = false;
  const relieve = () => {
    if (!paused || outputs.some((socket) => waiting(socket) > EXEC_OUTPUT_BYTES_LOW)) return;
    paused = false;
    process.resume();
  };
  for (const socket of outputs) socket.once('close', relieve);
  return {
    send(socket, data) {
      if (socket?.readyState !== WebSocket.OPEN) return;
      socket.send(data, { binary: true }, relieve);
      if (paused || waiting(socket) < EXEC_OUTPUT_BYTES_HIGH) return;
      paused = true;
      process.pause();
    },
  };
}

function waiting(socket: WebSocket): number {
  return socket.readyState === WebSocket.OPEN ? socket.bufferedAmount : 0;
}

/**
 * Passes data from a websocket to the process, at the pace at which the process takes it. An empty text
 * message, or the loss of the websocket, ends the input.
 * @param over tells that the process has ended: nothing may be written any more
 */
export function feedInput(socket: WebSocket, process: ExecProcess, over: () => boolean): void {
  let ended = false;
  const end = () => {
    if (ended || over()) return;
    ended = true;
    process.endInput();
  };
  process.onDrain(() => socket.resume());
  socket.on('message', (message, isBinary) => {
    const data = message as Buffer;
    if (!isBinary && data.length === 0) return end();
    if (ended || over()) return;
    if (!process.write(data)) socket.pause();
  });
  socket.once('close', end);
}
