import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readText } from '../kernel/cgroup-files.ts';

/** Files that are read in one turn of the main thread: about a millisecond. */
const READ_AT_ONCE = 100;

/** What the choice of processors for a container depends on. */
export interface ProcessorFacts {
  /** The processors that the container has now, as its cgroup says it; empty before its start. */
  readonly now: string;
  /** The folder of the cgroups of all containers, in the hierarchy that has processors. */
  readonly folder: string;
  /** Differs between containers, so that those that start at the same moment choose different ones of several equals. */
  readonly seed: number;
}

/**
 * The processors for a value of `limits.cpu`. A set such as `0-1,3` stays. For a count, a container keeps those that it
 * has if their number is right. Else it gets those to which the fewest containers are limited, as with LXD.
 */
export async function processorsFor(
  value: string,
  { now, folder, seed }: ProcessorFacts,
  online = onlineNow(),
): Promise<string> {
  if (!/^\d+$/.test(value)) return value;
  const count = Math.min(Number(value), online.length);
  const kept = setOf(now);
  if (kept.length === count && kept.every((each) => online.includes(each))) return now;
  const sets = await limitedSets(folder, online.length);
  return leastUsed(count, online, { sets, seed }).join(',');
}

/** The numbers of a set such as `0-1,3`; none for an empty text. */
export function setOf(text: string): number[] {
  if (text === '') return [];
  const numbers = text.split(',').flatMap((part) => {
    const [from = '', to = from] = part.split('-');
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
  });
  return numbers.sort((a, b) => a - b);
}

function onlineNow(): number[] {
  return setOf(readText('/sys/devices/system/cpu/online').trim());
}

/**
 * The sets of the containers that are limited to some of the processors. cgroupfs answers from memory, but there may
 * be thousands of containers: other work gets its turn in between.
 */
async function limitedSets(folder: string, all: number): Promise<number[][]> {
  const sets: number[][] = [];
  for (const [index, name] of (await containersIn(folder)).entries()) {
    if (index % READ_AT_ONCE === READ_AT_ONCE - 1) await nextTurn();
    sets.push(setOf(readText(`${folder}/${name}/cpuset.cpus`).trim()));
  }
  return sets.filter((set) => set.length < all);
}

async function containersIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.startsWith('lxc.payload.'));
  } catch {
    // Where LXC puts its cgroups elsewhere, the choice depends on the seed alone.
    return [];
  }
}

function leastUsed(
  count: number,
  online: readonly number[],
  { sets, seed }: { readonly sets: readonly number[][]; readonly seed: number },
): number[] {
  const uses = new Map(online.map((processor) => [processor, 0]));
  for (const processor of sets.flat()) uses.set(processor, (uses.get(processor) ?? 0) + 1);
  const first = (seed * count) % online.length;
  const turned = [...online.slice(first), ...online.slice(0, first)];
  const chosen = turned.sort((a, b) => uses.get(a)! - uses.get(b)!).slice(0, count);
  return chosen.sort((a, b) => a - b);
}
