// `npm run bench`: makes the machine ready, then runs the benchmarks. Arguments go to them.
import { handOver } from './command.mjs';
import { runMain, SetupError, say } from './fail.mjs';
import { BENCH_PACKAGES, ensurePackages, LXD_PACKAGES, RUN_PACKAGES } from './packages.mjs';
import { prepare } from './prepare.mjs';

await runMain(async () => {
  const { root, node, env } = await prepare('run bench', [...RUN_PACKAGES, ...BENCH_PACKAGES]);
  await ensureLxd();
  return handOver(node, ['bench/main.ts', ...process.argv.slice(2)], { cwd: root, env });
});

/** Without LXD the benchmarks have one column less. */
async function ensureLxd() {
  try {
    await ensurePackages([...LXD_PACKAGES, 'btrfs-progs']);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`going on without LXD: ${error.message}`);
  }
}
