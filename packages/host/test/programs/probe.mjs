// Asks every 5 ms for so long, each time without waiting for the answers before, and prints how long the answers
// took, in milliseconds. KIND is `new`, a connection for each request, or `kept`, one for all. Usage:
// probe.mjs SOCKET KIND PATH MS
import { Agent, request } from 'node:http';

const EVERY_MS = 5;
const [socketPath, kind, path, ms] = process.argv.slice(2);
const agent = kind === 'kept' ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
const waits = [];
const asked = [];
const end = performance.now() + Number(ms);
for (let next = performance.now(); next < end; next += EVERY_MS) {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  asked.push(ask());
}
await Promise.all(asked);
agent?.destroy?.();
console.log(JSON.stringify(waits));

function ask() {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, agent, path, headers: { host: 'lxd' } }, (response) => {
      response.resume();
      response.on('end', () => {
        waits.push(performance.now() - start);
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}
