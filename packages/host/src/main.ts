import { SignalQueue } from './restart/signals.ts';

// First of all: a signal that comes while the daemon starts is obeyed once it can be stopped properly.
const signals = new SignalQueue();
const { OWN_VARIABLES } = await import('./restart/inherited.ts');
const { portholed } = await import('./daemon/portholed.ts');

const [node, script, ...args] = process.argv as [string, string, ...string[]];
const env = { ...process.env };
// What was run, rather than what it led to: a link may have been pointed to a new version by the next time.
const program = [env['PORTHOLE_PROGRAM'] ?? [node, ...process.execArgv, script]].flat();
for (const name of OWN_VARIABLES) delete process.env[name];

// At once: what an operator has begun and nobody waits for any more must not act without lock and store.
process.exit(await portholed({ program, args, env }, signals));
