// Loaded into a daemon whose main thread is watched. At SIGUSR2 the daemon prints how late its timers were since
// the signal before, and then begins to count from zero again. It also prints it when it restarts in place (SIGHUP).
import { monitorEventLoopDelay } from 'node:perf_hooks';

const NS_PER_MS = 1e6;

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

function tell(): void {
  const [p99, most] = [delay.percentile(99), delay.max].map((each) => each / NS_PER_MS);
  delay.reset();
  process.stderr.write(`main thread late: p99 ${p99} ms, most ${most} ms\n`);
}

// Signals reach the main thread only.
for (const signal of ['SIGUSR2', 'SIGHUP'] as const) process.on(signal, tell);
