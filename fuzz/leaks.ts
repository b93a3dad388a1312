import { setTimeout as sleep } from 'node:timers/promises';
import { mustHold } from './target.ts';

/** Of each kind of thing that keeps a process alive: all targets together need far fewer, a leak soon has more. */
const RESOURCES_MAX = 150;
/** What is about to end, such as the time that an exec gives its streams, has ended after this. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 50;
const MIB = 1024 * 1024;
/** Two to three times what is usual. */
const MEMORY_MIB_MAX = 1024;

/** Checks that cases leave no sockets and timers, and do not pile up in memory. @throws Finding */
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
