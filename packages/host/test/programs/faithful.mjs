// Follows events. Whenever its stream ends, it connects again with its position. Prints each event as a line,
// until it is killed. Usage: faithful.mjs SOCKET websocket|stream
import { connect } from 'node:net';

const [path, kind] = process.argv.slice(2);
const AGAIN_MS = 50;
const TEXT = 1;
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
let position = 0;

follow();

function follow() {
  const socket = connect(path);
  let bytes = Buffer.alloc(0);
  let open = false;
  socket.write(
    `GET /1.0/events?since=${position} HTTP/1.1\r\nHost: lxd\r\n${kind === 'websocket' ? UPGRADE : ''}\r\n`,
  );
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    open ||= takeHead();
    while (open && (kind === 'websocket' ? takeFrame() : takeLine()));
  });
  socket.on('error', () => {});
  // An incomplete event is dropped: it comes again.
  socket.on('close', () => setTimeout(follow, AGAIN_MS));

  function takeHead() {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = bytes.subarray(0, end).toString();
    if (!/^HTTP\/1\.1 (101|200) /.test(head)) console.log(JSON.stringify({ refused: head }));
    bytes = bytes.subarray(end + 4);
    return true;
  }

  function takeLine() {
    const end = bytes.indexOf('\n');
    return end >= 0 && take(0, end, end + 1);
  }

  /** Frames of a server are unmasked; longer ones than 64 KiB are not expected. */
  function takeFrame() {
    const [head, length] =
      bytes[1] === 126 ? [4, bytes.length < 4 ? 0 : bytes.readUInt16BE(2)] : [2, bytes[1]];
    if (bytes.length < head || bytes.length < head + length) return false;
    if ((bytes[0] & 15) === TEXT) return take(head, head + length, head + length);
    bytes = bytes.subarray(head + length);
    return true;
  }

  function take(from, to, end) {
    const text = bytes.subarray(from, to).toString().trimEnd();
    bytes = bytes.subarray(end);
    position = JSON.parse(text).sequence;
    console.log(text);
    return true;
  }
}
