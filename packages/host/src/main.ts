import { SignalQueue } from './restart/signals.ts';

// First of all: a signal that comes while the daemon starts takes effect once the daemon can stop properly.
const signals = new SignalQueue();

async function main(): Promise<number> {
  const { OWN_VARIABLES } = await import('./restart/inherited.ts');
  const { portholed } = await import('./daemon/portholed.ts');
  const [node, script, ...args] = process.argv as [string, string, ...string[]];
  const env = { ...process.env };
  // The path as given, with its links: at the next start a link may lead to a new version.
  const program = [env['PORTHOLE_PROGRAM'] ?? [node, ...process.execArgv, script]].flat();
  for (const name of OWN_VARIABLES) delete process.env[name];
  return portholed({ program, args, env }, signals);
}

// Ends at once: operations that still run must not act without the lock and the store. A failure of main also ends
// the process, with its stack trace.
void main().then((code) => process.exit(code));
