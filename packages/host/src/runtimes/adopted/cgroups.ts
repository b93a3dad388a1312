import type { Container } from '../../core/container.ts';
import { CGROUP_ROOT, folderOf, type Membership, membershipsIn } from '../kernel/cgroup-files.ts';
import { hasOthers } from './others.ts';

/** The controllers whose figures are shown; `` is the unified hierarchy. */
const SHOWN: readonly string[] = ['memory', 'pids', 'cpuacct', ''];

/** The facts about a host and about a container's init that `ownCgroups` needs. */
export interface Host {
  /** Mount point of the cgroups; normally `CGROUP_ROOT`. */
  readonly root?: string;
  /** /proc/PID/cgroup of the init, and of this process. */
  readonly init: string;
  readonly self: string;
  /** Whether a process is in the container's PID namespace or in a nested one. */
  isInside(pid: number): boolean;
}

/**
 * The folder of the container's own cgroup, by controller. A controller is missing if the container shares its cgroup
 * with other processes, because the figures there include theirs.
 */
export async function ownCgroups(container: Container | null, host: Host): Promise<Map<string, string>> {
  const { root = CGROUP_ROOT, isInside } = host;
  const selves = membershipsIn(host.self);
  const groups = new Map<string, string>();
  for (const { controllers, path } of membershipsIn(host.init)) {
    const controller = controllers.find((each) => SHOWN.includes(each));
    const own = controller === undefined ? null : containerPath(path, container);
    if (controller === undefined || own === null || holdsThis(own.path, controller, selves)) continue;
    const folder = folderOf(controller, own.path, root);
    if (!own.certain && (await hasOthers(folder, isInside))) continue;
    for (const each of controllers) groups.set(each, folderOf(each, own.path, root));
  }
  return groups;
}

/** Whether this process is in the cgroup too, for example if the daemon itself runs in a container. */
function holdsThis(path: string, controller: string, selves: readonly Membership[]): boolean {
  const self = selves.find(({ controllers }) => controllers.includes(controller))?.path ?? '';
  return `${self}/`.startsWith(`${path}/`);
}

/** The path of a cgroup that may belong to one container alone. */
export interface OwnPath {
  readonly path: string;
  /** Whether its name shows that a runtime has made it for one container. */
  readonly certain: boolean;
}

/** Names of cgroups that runtimes make for one container each. */
const ID = /^(?:[a-z][a-z-]*-)?[0-9a-f]{64}(?:\.scope)?$/;
const MACHINE = /^(?:machine-.+\.scope|systemd-nspawn@.+\.service)$/;
const LXC = /^lxc\.payload\..+$/;

/** systemd-nspawn puts the container into this cgroup, and itself into a second one next to it. */
const PAYLOAD = 'payload';
/** systemd as init, and the entry point of Docker in Docker, move into this cgroup below that of their container. */
const OF_INIT = /\/(?:init\.scope|init)$/;

/**
 * Finds the cgroup of a container from the cgroup of its init, which may be far below it. A container can choose names
 * only below its own cgroup. So it can make its own figures too small, but never get those of another container.
 * @returns null for the root cgroup, and for a cgroup outside the one that this process sees as root
 */
export function containerPath(path: string, container: Container | null): OwnPath | null {
  const parts = path.split('/').slice(1);
  if (path === '/' || !path.startsWith('/') || parts.includes('..')) return null;
  const at = container
    ? parts.findIndex((part) => isNamed(part, container))
    : parts.findLastIndex((part) => ID.test(part) || MACHINE.test(part) || LXC.test(part));
  const named = parts[at];
  if (named === undefined) {
    const own = path.replace(OF_INIT, '');
    return own === '' ? null : { path: own, certain: false };
  }
  const inner = MACHINE.test(named) && parts[at + 1] === PAYLOAD ? 1 : 0;
  const certain = [ID, MACHINE, LXC].some((made) => made.test(named));
  return { path: `/${parts.slice(0, at + 1 + inner).join('/')}`, certain };
}

function isNamed(part: string, { runtime, id, name }: Container): boolean {
  if (runtime === 'nspawn') return MACHINE.test(part);
  if (runtime === 'lxc') return name !== '' && isNumbered(part, `lxc.payload.${name}`);
  const unit = part.replace(/\.scope$/, '');
  return id !== '' && (unit === id || unit.endsWith(`-${id}`));
}

/** LXC adds a number to a name that is taken. */
function isNumbered(part: string, plain: string): boolean {
  return part.startsWith(plain) && /^(?:-\d+)?$/.test(part.slice(plain.length));
}
