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

const OTHERS: readonly RealFault['kind'][] = ['hang', 'failure', 'I/O error', 'full disk'];
let turn = 0;

/**
 * Of each work: a kill after the last commit that decides, or tool; of each second one also another fault, whose kinds
 * take turns. `npm run faults` tries all.
 */
function chosen(_scenario: string, faults: readonly RealFault[]): RealFault[] {
  const matter = faults.filter(({ name, count }) => count === 1 && MATTERS.test(name));
  const kill = matter.findLast(({ kind, when }) => kind === 'kill' && when === 'after');
  const wanted = turn++ % 2 === 0 ? OTHERS[((turn / 2) % OTHERS.length) | 0] : null;
  const before = matter.filter(({ when }) => when === 'before');
  const other = before.find(({ kind }) => kind === wanted);
  return [kill, other].filter((fault) => fault !== undefined);
}

it('a fault at a chosen step of a real daemon loses nothing and leaves nothing behind', async () => {
  const { steps, faults, violations } = await walkReal(chosen, quiet);
  process.stdout.write(`${steps} steps, ${faults} faults, ${violations.length} violations\n`);
  expect(violations).toEqual([]);
  expect(faults).toBeGreaterThan(15);
});
