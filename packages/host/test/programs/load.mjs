// Requests user.who without a pause, on PARALLEL new connections at a time and on one that is kept, until its
// input ends. Then prints the results. Usage: load.mjs SOCKET VALUE PARALLEL
import { Agent, request } from 'node:http';

const [socketPath, wanted, parallel] = process.argv.slice(2);
const seen = { answered: 0, wrong: [] };
const WRONG_SHOWN_MAX = 5;

let over = false;
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();
console.log('asking');
const kept = new Agent({ keepAlive: true, maxSockets: 1 });
await Promise.all([ask(kept), ...Array.from({ length: Number(parallel) }, () => ask(false))]);
kept.destroy();
console.log(JSON.stringify(seen));

async function ask(agent) {
  while (!over) {
    const answer = await answerOf(agent).catch((error) => String(error));
    if (answer === `200 ${wanted}`) seen.answered++;
    else if (seen.wrong.push(answer) > WRONG_SHOWN_MAX) over = true;
  }
}

function answerOf(agent) {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, agent, path: '/1.0/config/user.who', headers: { host: 'lxd' } });
    asking.on('error', reject);
    asking.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    asking.end();
  });
}
