// Makes one request after another for MS milliseconds, each on its own connection. Prints as JSON the number of answers,
// and when it began and ended, in milliseconds since 1970. Usage: probe.mjs SOCKET PATH MS
import { request } from 'node:http';

const [socketPath, path, ms] = process.argv.slice(2);
let answers = 0;
const from = Date.now();
for (; Date.now() < from + Number(ms); answers++) await ask();
console.log(JSON.stringify({ answers, from, to: Date.now() }));

function ask() {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, agent: false, path, headers: { host: 'lxd' } }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}
