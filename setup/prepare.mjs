import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './fail.mjs';
import { ensureModules } from './modules.mjs';
import { ensurePackages, requirePackages } from './packages.mjs';
import { platformProblem } from './platform.mjs';
import { ensureSubordinateIds } from './subordinate-ids.mjs';

/**
 * Makes the machine ready, step by step. Each step first checks whether it has anything to do, so that a
 * second start costs a few milliseconds and starts neither npm nor apt.
 * @param {string} script the npm script, for the advice to a user who is not root
 * @param {readonly string[]} packages Debian packages
 * @param {boolean} needsRoot whether the program needs root; other users get only npm's packages
 * @returns {Promise<{ root: string, node: string, env: Record<string, string | undefined> }>} the checkout,
 *   its Node 26, and an environment in which that is `node`
 */
export async function prepare(script, packages, needsRoot = true) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { platform, arch, version: node } = process;
  const uid = process.getuid?.();
  const problem = platformProblem({ platform, arch, node, uid, script, needsRoot });
  if (problem) throw new SetupError(problem);
  if (uid === 0) {
    await ensurePackages(packages);
    ensureSubordinateIds();
  } else requirePackages(packages);
  await ensureModules(root);
  const bin = join(root, 'node_modules/.bin');
  return {
    root,
    node: join(bin, 'node'),
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  };
}
