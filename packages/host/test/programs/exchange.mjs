// Sends each request on its own connection, half-closes it, and prints all answers as a JSON list.
// Usage: exchange.mjs SOCKET (requests as a JSON list on stdin; they and the answers are in base64)
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';

const path = process.argv[2];
const answers = [];
for (const request of await json(process.stdin)) answers.push(await exchange(Buffer.from(request, 'base64')));
console.log(JSON.stringify(answers));

async function exchange(bytes) {
  const socket = connect({ path, allowHalfOpen: true });
  const received = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.on('error', () => {});
  socket.end(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(received).toString('base64');
}
