// Makes one request after another for MS milliseconds, each on its own connection, and prints how long the
// answers took, in milliseconds. Usage: probe.mjs SOCKET PATH MS
import { request } from 'node:http';

const [socketPath, path, ms] = process.argv.slice(2);
const waits = [];
const end = performance.now() + Number(ms);
while (performance.now() < end) waits.push(await ask());
console.log(JSON.stringify(waits));

function ask() {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, agent: false, path, headers: { host: 'lxd' } }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - start);
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}
