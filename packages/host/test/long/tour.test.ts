import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const TEMPORARY = '/var/tmp';
const TOUR_MS = 5 * 60_000;

/** Programs whose command line names a temporary folder of a tour. */
async function programsOfTours(): Promise<string> {
  const pattern = `^[^ ]*(lxc monitor|node|etcd).*${TEMPORARY}/porthole-(tour|cluster)-`;
  const { stdout } = await run('pgrep', ['-af', pattern]);
  return stdout;
}

/** What tours have left in their temporary folders. */
function filesOfTours(): string[] {
  const folders = globSync(['porthole-tour-*', 'porthole-cluster-*'], { cwd: TEMPORARY });
  return folders.flatMap((name) => readdirSync(join(TEMPORARY, name)));
}

it.each([
  ['the tour', 'packages/host/src/tour/main.ts', 10],
  ['the tour of a fleet', 'packages/host/src/tour/cluster/main.ts', 7],
])(
  '%s on temporary state passes, and leaves no instance, daemon or file behind',
  async (_what, main, steps) => {
    const before = await programsOfTours();
    const toured = await run(process.execPath, [main, '--tour-only'], { cwd: ROOT, timeoutMs: TOUR_MS });
    expect(toured.stdout + toured.stderr).toContain(`\nAll ${steps} steps of the tour gave what they must`);
    expect(toured.code).toBe(0);
    expect(await programsOfTours()).toBe(before);
    expect(filesOfTours()).toEqual([]);
  },
  TOUR_MS,
);
