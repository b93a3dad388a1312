// `npm test` and similar scripts: make the machine ready, then run tests. Arguments go to vitest;
// `--project unit`, which needs no root, and
// `--project long`, which needs more packages, must come first.
import { join } from 'node:path';
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { LONG_PACKAGES, RUN_PACKAGES, TEST_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const args = process.argv.slice(2);
  const project = args[0] === '--project' ? args[1] : undefined;
  const packages = [...RUN_PACKAGES, ...TEST_PACKAGES, ...(project?.startsWith('long') ? LONG_PACKAGES : [])];
  const { root, node, env } = await prepare('test', packages, project !== 'unit');
  return handOver(node, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
    cwd: root,
    // Tests start some hundreds of threads and programs; with this, sources are compiled only once.
    env: { ...env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.compile-cache') },
  });
});
