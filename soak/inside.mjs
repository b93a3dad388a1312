// Loaded into the daemon that the soak watches, and into the programs that inherit its environment, where it does
// nothing. Writes a line a second: the heap of the main thread, and how late its turns were since the last line. At
// SIGUSR2 it frees all garbage, and says when that is done.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
// biome-ignore lint/style/noRestrictedImports: it starts no thread, but is loaded into those of the daemon too
import { isMainThread } from 'node:worker_threads';

const EVERY_MS = 1000;
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

const write = (line) => process.stderr.write(`${JSON.stringify(line)}\n`);
const used = () => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

if (isMainThread && process.argv.includes('--state-dir') && !process.argv.includes('--check')) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const late = (ns) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  setInterval(() => {
    const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map(late);
    delay.reset();
    write({ soak: { heap: used(), p50, p99, max } });
  }, EVERY_MS).unref();
  process.on('SIGUSR2', () => {
    // As in native/memory.ts.
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    setFlagsFromString('--no-expose-gc');
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    write({ level: 'info', msg: 'garbage collected', heap: used() });
  });
}
