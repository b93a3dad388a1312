import { expect, it } from 'vitest';
import { walkMemory } from '../../../../faults/memory/walk.ts';
import type { RealFault } from '../../../../faults/real/daemon.ts';
import { walkReal } from '../../../../faults/real/walk.ts';

const quiet = () => {};

it('a fault at any step of any work in memory loses nothing and leaves nothing half done', async () => {
  const { steps, faults, violations } = await walkMemory('', quiet);
  process.stdout.write(`${steps} steps, ${faults} faults, ${violations.length} violations\n`);
  expect(violations).toEqual([]);
  expect(faults).toBeGreaterThan(2000);
});

/** Kills around the commits that decide, and the tools that do most of the work. */
const MATTERS =
  /^commit .*(created|started|updated|deleted|shutdown|additions)|^program (lxc-start|mount|umount|setpriv|ip)/;

/**
 * Of each work: a kill after each commit that decides and after each tool, and one tool each that hangs and that fails.
 * `npm run faults` tries all.
 */
function chosen(_scenario: string, faults: readonly RealFault[]): RealFault[] {
  const matter = faults.filter(({ name, count }) => count === 1 && MATTERS.test(name));
  const one = (kind: RealFault['kind']) =>
    matter.find((fault) => fault.kind === kind && fault.when === 'before');
  const kills = matter.filter(({ kind, when }) => kind === 'kill' && when === 'after').slice(-2);
  return [...kills, one('hang'), one('failure'), one('I/O error')].filter((fault) => fault !== undefined);
}

it('a fault at the steps that matter of a real daemon loses nothing and leaves nothing behind', async () => {
  const { steps, faults, violations } = await walkReal(chosen, quiet);
  process.stdout.write(`${steps} steps, ${faults} faults, ${violations.length} violations\n`);
  expect(violations).toEqual([]);
  expect(faults).toBeGreaterThan(30);
});
