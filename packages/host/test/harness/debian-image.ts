import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { file, METADATA, tarOf } from '../../src/images/testing/archives.ts';
import { run } from '../../src/process/run.ts';
import type { TestDaemon } from './daemon.ts';

/** It takes three minutes on an idle machine. */
const BUILD_MS = 20 * 60_000;

/** In namespaces of its own: its mounts and processes end with it, also when it is killed. */
const UNSHARE = ['--mount', '--pid', '--fork', '--kill-child', 'mmdebstrap'];

/** The locale is one that the image has: cloud-init reports its default as an error. */
const HOOK = `echo 'locale: C.UTF-8' > "$1/etc/cloud/cloud.cfg.d/90_locale.cfg"`;

/** Imports a Debian 12 with systemd and the given packages, as `debian`. Its packages come from the network. */
export async function importDebian(daemon: TestDaemon, packages: readonly string[]): Promise<void> {
  const folder = mkdtempSync('/var/tmp/porthole-test-debian-');
  try {
    const [metadata, rootfs] = [join(folder, 'metadata.tar'), join(folder, 'rootfs.tar')];
    const include = `--include=${['systemd-sysv', 'dbus', ...packages].join()}`;
    const args = [...UNSHARE, '--variant=minbase', include, `--customize-hook=${HOOK}`, 'bookworm', rootfs];
    const env = { PATH: process.env['PATH'] ?? '', TMPDIR: folder };
    const built = await run('unshare', args, { env, timeoutMs: BUILD_MS });
    if (!built.ok) throw new Error(`a Debian image could not be built: ${built.failure}`);
    writeFileSync(metadata, await tarOf([file('metadata.yaml', METADATA)]));
    await daemon.must('image', 'import', metadata, rootfs, '--alias', 'debian');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
