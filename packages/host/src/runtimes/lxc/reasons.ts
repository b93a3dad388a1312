import type { LiveLimit } from '../../core/limits.ts';
import { SystemError } from '../../native/libc.ts';
import type { MountFailure } from '../../native/mount.ts';

// Sentences for failures of the kernel, LXC and ip(8). Their own words follow at the end of each sentence.

const MOUNT_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist in the instance and cannot be made there',
  ENOTDIR: 'cannot be in the instance: a part of that path is not a folder there',
  ELOOP: 'in the instance goes through too many links',
  EROFS: 'cannot be made in the instance: its file system is read-only',
};

/** Why a disk or a node could not be shown at its path inside. */
export function mountReason({ call, errno, target, kinds }: MountFailure): string {
  const { code, message } = new SystemError(call, errno);
  if (kinds) return `${kindsReason(target, kinds === 'folder-on-file')} (${message})`;
  const reason = MOUNT_REASONS[code];
  return reason === undefined || target === undefined ? message : `"${target}" ${reason} (${message})`;
}

function kindsReason(target: string | undefined, isFolder: boolean): string {
  return isFolder
    ? `The source is a folder, but "${target}" in the instance is not`
    : `The source is not a folder, but "${target}" in the instance is one`;
}

/** A line of LXC's log about a start that failed: the cause, ` - `, and the action that failed. */
export function startReason(line: string): string {
  const [cause] = line.split(' - ');
  const mount =
    /^Not a directory - Failed to mount ".*\/mounts\/([^/"]+)" on(?:to)? ".*?\/rootfs(\/[^"]*)"$/.exec(line);
  if (mount) {
    const [, name = '', path] = mount;
    const what = `of the source and "${path}" in the instance, one is a folder and the other is not`;
    return `Failed to start device "${deviceName(name)}": ${what} (${cause})`;
  }
  const nic = /^File exists - Failed to rename network device ".*" to "(.*)"$/.exec(line);
  return nic ? `The instance has more than one interface with the name "${nic[1]}" (${cause})` : line;
}

/** The name of a device from that of its folder. A line of `raw.lxc` may name another folder. */
function deviceName(folder: string): string {
  try {
    return decodeURIComponent(folder);
  } catch {
    return folder;
  }
}

const LIMIT_REASONS: Readonly<Record<LiveLimit, Readonly<Record<string, string>>>> = {
  'limits.memory': { 'Device or resource busy': 'the instance uses more memory than that' },
  'limits.cpu': {
    'Numerical result out of range': 'the host does not have these processors',
    'Permission denied': 'the host does not lend these processors to instances',
    'Invalid argument': 'the host does not have these processors',
  },
  'limits.processes': {},
};

/** Why a limit could not be applied. @param failure output of tee(1), which ends with the kernel's words */
export function limitReason(key: LiveLimit, failure: string): string {
  const words = failure.replace(/^.*: /, '');
  const reason = LIMIT_REASONS[key][words];
  return reason === undefined ? words : `${reason} (${words})`;
}

/**
 * Why an interface could not be made or limited.
 * @param failure output of ip(8) or tc(8); only its first line counts, without the program's name: advice follows
 */
export function nicReason(what: string, failure: string): string {
  const words = failure.replace(/^\w+: exit code \d+: /, '').replace(/^(RTNETLINK answers|Error): /, '');
  return `${what} (${words.split(';')[0]?.replace(/\.$/, '')})`;
}
