import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const TEMPORARY = '/var/tmp';
const TOUR_MS = 5 * 60_000;

/** Programs whose command line names a temporary state directory of a tour. */
async function programsOfTours(): Promise<string> {
  const { stdout } = await run('pgrep', ['-af', `^[^ ]*(lxc monitor|node).*${TEMPORARY}/porthole-tour-`]);
  return stdout;
}

it(
  'the tour on temporary state passes, and leaves no instance, daemon or file behind',
  async () => {
    const before = await programsOfTours();
    const toured = await run(process.execPath, ['packages/host/src/tour/main.ts', '--tour-only'], {
      cwd: ROOT,
      timeoutMs: TOUR_MS,
    });
    expect(toured.stdout + toured.stderr).toMatch(/\nAll 10 steps of the tour gave what they must/);
    expect(toured.code).toBe(0);
    expect(await programsOfTours()).toBe(before);
    expect(
      globSync('porthole-tour-*', { cwd: TEMPORARY }).flatMap((name) => readdirSync(join(TEMPORARY, name))),
    ).toEqual([]);
  },
  TOUR_MS,
);
