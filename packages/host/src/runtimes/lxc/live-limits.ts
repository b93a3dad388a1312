import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { LIVE_LIMITS, type LiveLimit } from '../../core/limits.ts';
import { run } from '../../process/run.ts';
import type { Init } from '../contract/runtime.ts';
import { readText } from '../kernel/cgroup-files.ts';
import { type CgroupVersion, cgroupsOf } from './cgroups.ts';
import { setOf } from './processors.ts';
import { limitReason } from './reasons.ts';
import { GROUP_LIMITS } from './resource-limits.ts';

/** The kernel frees memory before it takes a lower limit (version 1), or kills processes until it fits (version 2). */
const WRITE_TIMEOUT_MS = 10_000;

/** Memory limits are rounded down to whole pages, which have one of these sizes. */
const PAGE_BYTES = [4096, 16_384, 65_536];

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
    const place = await placeOf(init, key, config[key]);
    if (!place || holds(key, readText(place.path).trim(), place.text)) continue;
    // By tee, since the kernel may take its time, and says why it refuses.
    const { ok, failure } = await run('tee', [place.path], {
      input: `${place.text}\n`,
      timeoutMs: WRITE_TIMEOUT_MS,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
    if (!ok) throw hostError('limit-failed', key, limitReason(key, failure));
    if (!holds(key, readText(place.path).trim(), place.text))
      throw hostError('limit-failed', key, 'the kernel has not taken it');
  }
}

/** Checks that a container which has just started has its limits. @throws CodedError limit-failed */
export async function checkLimits(init: Init, config: Config): Promise<void> {
  for (const key of LIVE_LIMITS) {
    if (!config[key]) continue;
    const place = await placeOf(init, key, config[key]);
    if (place && holds(key, readText(place.path).trim(), place.text)) continue;
    throw hostError('limit-failed', key, 'the kernel has not taken it');
  }
}

/** @returns null when there is to be no limit, and this host has no cgroup for it */
async function placeOf(init: Init, key: LiveLimit, value: string | undefined): Promise<Place | null> {
  const { controller, file, text, none } = GROUP_LIMITS[key];
  const groups = cgroupsOf(init.pid);
  // Read by pid: that these are the cgroups of this process is known by its being alive.
  if (!init.isAlive()) throw hostError('not-running');
  const version: CgroupVersion = groups.has(controller) ? 'cgroup' : 'cgroup2';
  const folder = groups.get(controller) ?? groups.get('');
  const path = `${folder}/${file[version]}`;
  if (folder === undefined || !existsSync(path)) {
    if (!value) return null;
    throw hostError('limit-failed', key, `this host has no cgroups for ${controller}`);
  }
  const above = dirname(folder);
  if (!value) return { path, text: none[version] ?? readText(`${above}/${file[version]}`).trim() };
  return { path, text: await text(value, { now: readText(path).trim(), folder: above, seed: init.pid }) };
}

/** Whether the file of a limit says what it should. */
export function holds(key: LiveLimit, found: string, text: string): boolean {
  if (key === 'limits.processes') return found === text;
  if (key === 'limits.cpu') return setOf(found).join() === setOf(text).join();
  if (text === 'max') return found === text;
  // Without a limit, version 1 shows the highest number of whole pages.
  if (text === '-1') return Number(found) > Number.MAX_SAFE_INTEGER;
  return PAGE_BYTES.some((bytes) => Number(found) === Math.floor(Number(text) / bytes) * bytes);
}
