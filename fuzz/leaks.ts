import { setTimeout as sleep } from 'node:timers/promises';
import { mustHold } from './target.ts';

/** Limit for each kind of resource that keeps a process alive: all targets together need far fewer. */
const RESOURCES_MAX = 150;
/** Resources that are about to end, such as the timer of an exec's streams, have ended after this. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 50;
const MIB = 1024 * 1024;
/** Two to three times the usual memory. */
const MEMORY_MIB_MAX = 1024;

/** Checks that cases leave no sockets or timers, and do not fill the memory. @throws Finding */
export async function checkLeaks(): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (tooMany() !== undefined && performance.now() < deadline) await sleep(PAUSE_MS);
  const kind = tooMany();
  mustHold(kind === undefined, `of ${kind} more and more are left`);
  const memoryMib = Math.round(process.memoryUsage().rss / MIB);
  mustHold(memoryMib <= MEMORY_MIB_MAX, 'memory fills up', `${memoryMib} MiB`);
}

function tooMany(): string | undefined {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].find(([, count]) => count > RESOURCES_MAX)?.[0];
}
