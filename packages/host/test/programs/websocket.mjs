// Follows events over a websocket, with nothing but Node: handshake and frames by hand.
// Usage: websocket.mjs SOCKET PATH
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const [path, target] = process.argv.slice(2);
const key = randomBytes(16).toString('base64');
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const socket = connect(path);
socket.write(
  `GET ${target} HTTP/1.1\r\nHost: lxd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
);

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
/** Without a payload, because the pings have none; the mask is zero. */
const PONG_FRAME = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
let open = false;
let bytes = Buffer.alloc(0);

socket.on('data', (chunk) => {
  bytes = Buffer.concat([bytes, chunk]);
  if (!open) readHead();
  while (open && readFrame());
});
socket.on('close', () => process.exit(0));

function readHead() {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return;
  const head = bytes.subarray(0, end).toString();
  if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(accept)) process.exit(1);
  bytes = bytes.subarray(end + 4);
  open = true;
  console.log('open');
}

/** Frames of a server are unmasked; longer ones than 64 KiB are not expected. */
function readFrame() {
  if (bytes.length < 4) return bytes.length >= 2 && (bytes[1] & 127) === 0 && take(2, 0);
  const short = bytes[1] & 127;
  const [head, length] = short === 126 ? [4, bytes.readUInt16BE(2)] : [2, short];
  return bytes.length >= head + length && take(head, length);
}

function take(head, length) {
  const payload = bytes.subarray(head, head + length).toString();
  if ((bytes[0] & 15) === TEXT) process.stdout.write(payload);
  if ((bytes[0] & 15) === PING) socket.write(PONG_FRAME);
  if ((bytes[0] & 15) === CLOSE) console.log(`closed ${length < 2 ? '' : bytes.readUInt16BE(head)}`);
  bytes = bytes.subarray(head + length);
  return true;
}
