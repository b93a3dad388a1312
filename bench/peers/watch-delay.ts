// Loaded into a daemon whose main thread is watched. It watches from one SIGUSR2 to the next, or until it restarts in
// place (SIGHUP), and prints then how late its timers were. Not all the time: that wakes it a thousand times a second.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const NS_PER_MS = 1e6;

const delay = monitorEventLoopDelay({ resolution: 1 });
let isOn = false;

function tell(): void {
  const [p99, most] = [delay.percentile(99), delay.max].map((each) => each / NS_PER_MS);
  isOn = !isOn;
  if (isOn) delay.enable();
  else delay.disable();
  delay.reset();
  process.stderr.write(`main thread late: p99 ${p99} ms, most ${most} ms\n`);
}

// Signals reach the main thread only.
for (const signal of ['SIGUSR2', 'SIGHUP'] as const) process.on(signal, tell);
