// `npm test` and its like: make the machine ready, then run tests. Arguments go to vitest; `--project unit`, which needs
// no root, stands first.
import { join } from 'node:path';
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { RUN_PACKAGES, TEST_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const args = process.argv.slice(2);
  const needsRoot = args[0] !== '--project' || args[1] !== 'unit';
  const { root, node, env } = await prepare('test', [...RUN_PACKAGES, ...TEST_PACKAGES], needsRoot);
  return handOver(node, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
    cwd: root,
    // Threads and programs that tests start by themselves, some hundreds, are compiled once.
    env: { ...env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.compile-cache') },
  });
});
