import { dirname } from 'node:path';
import type { Config } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { LIVE_LIMITS, type LiveLimit } from '../../core/limits.ts';
import { run } from '../../process/run.ts';
import type { Init } from '../contract/runtime.ts';
import { type CgroupVersion, cgroupsOf, readText } from './cgroups.ts';
import { GROUP_LIMITS } from './resource-limits.ts';

/** The kernel frees memory before it takes a lower limit. */
const WRITE_TIMEOUT_MS = 10_000;

/** Memory limits are rounded down to whole pages, which have at most so many bytes. */
const PAGE_BYTES_MAX = 64 * 1024;

/** Where the limit of a running container is, and what it should be. */
interface Place {
  readonly path: string;
  readonly text: string;
}

/**
 * Makes limits of a running container what its config says, and reads each back.
 * @param config expanded
 * @throws CodedError limit-failed with the reason; limits before it have changed then
 */
export async function setLimits(init: Init, config: Config, keys: readonly LiveLimit[]): Promise<void> {
  for (const key of keys) {
    const place = placeOf(init, key, config[key]);
    if (holds(key, place)) continue;
    // By tee, since the kernel may take its time, and says why it refuses.
    const { ok, failure } = await run('tee', [place.path], {
      input: `${place.text}\n`,
      timeoutMs: WRITE_TIMEOUT_MS,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
    if (!ok) throw hostError('limit-failed', key, reasonOf(failure));
    if (!holds(key, place)) throw hostError('limit-failed', key, 'the kernel has not taken it');
  }
}

/** Checks that a container which has just started has its limits. @throws CodedError limit-failed */
export function checkLimits(init: Init, config: Config): void {
  for (const key of LIVE_LIMITS) {
    if (!config[key] || holds(key, placeOf(init, key, config[key]))) continue;
    throw hostError('limit-failed', key, 'the kernel has not taken it');
  }
}

function placeOf(init: Init, key: LiveLimit, value: string | undefined): Place {
  const { controller, file, text, none } = GROUP_LIMITS[key];
  const groups = cgroupsOf(init.pid);
  // Read by pid: that these are the cgroups of this process is known by its being alive.
  if (!init.isAlive()) throw hostError('not-running');
  const version: CgroupVersion = groups.has(controller) ? 'cgroup' : 'cgroup2';
  const folder = groups.get(controller) ?? groups.get('');
  const path = `${folder}/${file[version]}`;
  if (folder === undefined || (readText(path) === '' && version === 'cgroup')) {
    throw hostError('limit-failed', key, `this host has no cgroups for ${controller}`);
  }
  const unlimited = none[version] ?? readText(`${dirname(folder)}/${file[version]}`).trim();
  return { path, text: value ? text(value) : unlimited };
}

function holds(key: LiveLimit, { path, text }: Place): boolean {
  const found = readText(path).trim();
  if (key === 'limits.processes') return found === text;
  if (key === 'limits.cpu') return setOf(found) === setOf(text);
  if (text === 'max') return found === text;
  // Without a limit, version 1 shows the highest number of whole pages.
  if (text === '-1') return Number(found) > Number.MAX_SAFE_INTEGER;
  const less = Number(text) - Number(found);
  return less >= 0 && less < PAGE_BYTES_MAX;
}

/** `0-1,3` as `0,1,3`: the kernel writes sets in its own way. */
function setOf(text: string): string {
  const numbers = text.split(',').flatMap((part) => {
    const [from = '', to = from] = part.split('-');
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
  });
  return numbers.sort((a, b) => a - b).join(',');
}

/** The last words of tee(1), without the path. */
function reasonOf(failure: string): string {
  return failure.replace(/^.*: /, '');
}
