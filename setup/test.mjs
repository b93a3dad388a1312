// `npm test`: makes the machine ready, then runs all tests. Arguments go to vitest.
import { handOver } from './command.mjs';
import { runMain } from './fail.mjs';
import { RUN_PACKAGES, TEST_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('test', [...RUN_PACKAGES, ...TEST_PACKAGES]);
  return handOver(node, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)], {
    cwd: root,
    env,
  });
});
