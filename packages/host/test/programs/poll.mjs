// Requests / every few milliseconds on a new connection each time, until its input ends; then prints results.
// Usage: poll.mjs SOCKET
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const PERIOD_MS = 3;
const WHOLE = /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\["\/1\.0"\]\n$/;
const [path] = process.argv.slice(2);
const seen = { whole: 0, refused: 0, odd: [] };

let over = false;
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();
console.log('polling');
while (!over) {
  await poll();
  await wait(PERIOD_MS);
}
console.log(JSON.stringify(seen));

async function poll() {
  const socket = connect({ path, allowHalfOpen: true });
  let answer = '';
  let failure;
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    answer += text;
  });
  socket.on('error', (error) => {
    failure ??= error;
  });
  socket.end('GET / HTTP/1.1\r\nHost: lxd\r\n\r\n');
  await new Promise((resolve) => socket.on('close', resolve));
  if (WHOLE.test(answer)) seen.whole++;
  else if (answer === '' && failure?.syscall === 'connect') seen.refused++;
  else seen.odd.push({ answer, failure: failure?.message });
}
