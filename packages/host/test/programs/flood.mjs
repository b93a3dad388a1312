// Makes the most expensive requests of a kind without a pause, on many connections, until its input ends.
// Prints `flooding` at the first answer. At the end it prints the number of answers until each millisecond in which there
// were some, as JSON: pairs of the time since 1970 and the number.
// Usage: flood.mjs SOCKET KIND CONNECTIONS
import { connect } from 'node:net';

const [path, kind, count] = process.argv.slice(2);
const FULL = 60_000;
const filled = (piece, bytes = FULL) => piece.repeat(Math.floor(bytes / piece.length));
const request = (line, headers = '', body = '') => `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;
const keys = Array.from({ length: 6_000 }, (_, at) => `"${(at * 7919).toString(36)}":1`).join();
const ping = '\x89\x80\0\0\0\0';
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

const WORST = {
  queries: request(`GET /1.0/events?${filled('%61&')}since=now&limit=1`),
  deep: request('GET /1.0/events?since=0&limit=256'),
  unread: request('GET /1.0/events?since=0&limit=256'),
  rare: request('GET /1.0/events?since=0&limit=1&type=device').repeat(32),
  chunks: request('PATCH /1.0', 'Transfer-Encoding: chunked\r\n', `${filled('1\r\n{\r\n')}0\r\n\r\n`),
  json: request('PATCH /1.0', `Content-Length: ${keys.length + 2}\r\n`, `{${keys}}`),
  handshakes: request('GET /1.0/events', UPGRADE, filled(ping)),
  pings: request('GET /1.0/events', UPGRADE),
};

let answers = 0;
const counts = new Map();
process.stdin.on('end', () => {
  console.log(JSON.stringify([...counts]));
  process.exit();
});
process.stdin.resume();
for (let each = 0; each < Number(count); each++) open();

function open() {
  const socket = connect(path);
  const bytes = Buffer.from(WORST[kind], 'latin1');
  const pings = Buffer.from(filled(ping), 'latin1');
  socket.write(bytes);
  socket.on('data', (data) => {
    if (answers === 0) console.log('flooding');
    answers += Math.max(1, data.toString('latin1').split('HTTP/1.1 ').length - 1);
    counts.set(Date.now(), answers);
    if (kind === 'unread') socket.pause();
    else if (kind === 'handshakes') socket.destroy();
    else if (socket.writableLength === 0) socket.write(kind === 'pings' ? pings : bytes);
  });
  socket.on('error', () => {});
  socket.on('close', () => setImmediate(open));
}
