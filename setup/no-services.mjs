import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages whose services the setup must not start: tests and benchmarks start these servers themselves. */
const SERVERS = ['nginx-light', 'lxd', 'lxcfs', 'docker.io', 'podman', 'etcd-server'];

/** Programs that maintainer scripts call to start a service now and at every boot. */
const STARTERS = ['invoke-rc.d', 'update-rc.d', 'deb-systemd-invoke', 'deb-systemd-helper'];

/** apt's default path for the programs of maintainer scripts. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs an installation in which maintainer scripts start no services if one of the packages is a server.
 * @template T
 * @param {readonly string[]} packages
 * @param {(aptOptions: string[]) => Promise<T>} install
 */
export async function withoutServices(packages, install) {
  if (!packages.some((name) => SERVERS.includes(name))) return install([]);
  const folder = mkdtempSync('/var/tmp/porthole-setup-');
  try {
    for (const name of STARTERS) writeFileSync(join(folder, name), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    return await install(['-o', `DPkg::Path=${folder}:${PATH}`]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
