import { readdirSync } from 'node:fs';
import { readText } from '../kernel/cgroup-files.ts';

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
export function processorsFor(
  value: string,
  { now, folder, seed }: ProcessorFacts,
  online = onlineNow(),
): string {
  if (!/^\d+$/.test(value)) return value;
  const count = Math.min(Number(value), online.length);
  const kept = setOf(now);
  if (kept.length === count && kept.every((each) => online.includes(each))) return now;
  return leastUsed(count, online, { sets: limitedSets(folder, online.length), seed }).join(',');
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

/** The sets of the containers that are limited to some of the processors. cgroupfs answers from memory. */
function limitedSets(folder: string, all: number): number[][] {
  return containersIn(folder)
    .map((name) => setOf(readText(`${folder}/${name}/cpuset.cpus`).trim()))
    .filter((set) => set.length < all);
}

function containersIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith('lxc.payload.'));
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
