import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { quietly, tailOf } from './command.mjs';
import { SetupError, say } from './fail.mjs';
import { withoutServices } from './no-services.mjs';

/** Debian packages that the daemon needs: the container tools, image formats, a first instance. */
export const RUN_PACKAGES = [
  'lxc',
  'uidmap',
  'busybox-static',
  'squashfs-tools',
  'attr',
  'netcat-openbsd',
  'xz-utils',
  'bzip2',
  'iproute2',
  'procps',
  // File systems of images, with their sizes.
  'e2fsprogs',
  // The certificate of a member of a fleet.
  'openssl',
  // Node 26 is linked with it.
  'libatomic1',
];

/** Packages for a fleet on one machine. */
export const CLUSTER_PACKAGES = [...RUN_PACKAGES, 'etcd-server'];

/**
 * Further packages for the tests: the clients of both APIs, shells with their own tab
 * completion, makers of archives.
 */
export const TEST_PACKAGES = [
  'btrfs-progs',
  'cloud-init',
  'systemd',
  'curl',
  'etcd-server',
  'fish',
  'lxcfs',
  'lxd-client',
  'python3',
  'python3-pylxd',
  'python3-yaml',
  'zsh',
  'zstd',
  'libarchive-tools',
  'skopeo',
  'umoci',
  'docker.io',
  'docker-compose',
  'podman',
  'runc',
];

/** Further packages for the faults of a fleet: what makes hosts, cuts their links and turns their clocks. */
export const FLEET_FAULTS_PACKAGES = ['etcd-server', 'faketime', 'nftables'];

/** Further packages for the tests of the project `long`: some are large. */
export const LONG_PACKAGES = [...FLEET_FAULTS_PACKAGES, 'ansible', 'mmdebstrap', 'systemd-container'];

/** Further packages for the benchmarks: the peers, and programs that put load on them. */
export const BENCH_PACKAGES = ['nginx-light', 'nghttp2-client', 'gcc', 'libc6-dev', 'runc', 'etcd-server'];

/** Packages of a peer that not every Debian has. */
export const LXD_PACKAGES = ['lxd', 'lxd-client'];

/** dpkg's database: reading it takes a few ms, asking dpkg-query ten times as much. */
const STATUS_FILE = '/var/lib/dpkg/status';

/** While this file exists, cloud-init does nothing at boot. */
const CLOUD_INIT_OFF = '/etc/cloud/cloud-init.disabled';

/**
 * Installs Debian packages that are missing; returns fast when none is.
 * @param {readonly string[]} wanted
 */
export async function ensurePackages(wanted) {
  const missing = missingPackages(readStatus(), wanted);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  say(`installing Debian packages: ${names}`);
  if (missing.includes('cloud-init')) keepCloudInitOff();
  const update = await apt(['update']);
  const install = await withoutServices(missing, (options) =>
    apt([...options, 'install', '-y', '--no-install-recommends', ...missing]),
  );
  if (install.ok) return;
  const why = tailOf(update.ok ? install.output : `${update.output}\n${install.output}`);
  throw new SetupError(`apt-get could not install these packages, please do: ${names} (${why})`);
}

/**
 * Throws when Debian packages are missing, for a user who cannot install them.
 * @param {readonly string[]} wanted
 */
export function requirePackages(wanted) {
  const names = missingPackages(readStatus(), wanted).join(' ');
  if (names !== '')
    throw new SetupError(`Debian packages are missing: run \`sudo apt-get install ${names}\`.`);
}

/**
 * Which packages are not installed.
 * @param {string} status text of dpkg's status file
 * @param {readonly string[]} wanted
 */
export function missingPackages(status, wanted) {
  const installed = new Set();
  for (const match of status.matchAll(/^Package: (\S+)\n(?:\S.*\n)*?Status: \S+ ok installed$/gm))
    installed.add(match[1]);
  return wanted.filter((name) => !installed.has(name));
}

function readStatus() {
  return existsSync(STATUS_FILE) ? readFileSync(STATUS_FILE, 'utf8') : '';
}

/**
 * Waits for another apt, as on a machine that has just booted; does not ask about settings that were edited.
 */
const APT_OPTIONS = ['-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Options::=--force-confold'];

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return quietly('apt-get', [...APT_OPTIONS, ...args], { env });
}

/**
 * The tests run cloud-init's client of the guest API, not cloud-init. Its package has systemd units that
 * would set the machine up again at the next boot. This file, written before the installation, prevents that.
 */
function keepCloudInitOff() {
  if (existsSync(CLOUD_INIT_OFF)) return;
  mkdirSync('/etc/cloud', { recursive: true });
  writeFileSync(CLOUD_INIT_OFF, 'Made by the setup of the tests of Porthole.\n');
}
