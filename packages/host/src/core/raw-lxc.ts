import { hostError } from './host-errors.ts';
import { type Check, hasControl } from './texts.ts';

/** A key of LXC's configuration that `raw.lxc` may set. */
export interface RawLxcKey {
  /** A `*` stands for one or more names, separated by dots. */
  readonly key: string;
  /**
   * Whether an empty value is allowed: it clears all that LXC has read for the key so far. It is not allowed
   * where that could be lines of Porthole.
   */
  readonly clears?: true;
}

/** Keys with the same beginning. @param names separated by spaces */
const keys = (start: string, names: string): RawLxcKey[] =>
  names.split(' ').map((name) => ({ key: `${start}.${name}` }));
const clearable = (start: string, names: string): RawLxcKey[] =>
  keys(start, names).map(({ key }) => ({ key, clears: true }));

/**
 * All keys that `raw.lxc` may set. A list of forbidden keys would have to follow how LXC reads keys; for
 * example, it takes `lxc.hook` for all hooks. The missing keys belong to Porthole (root, ids, name, log, the
 * hook that reports the end of a run, the namespaces by which callers are recognised, the signal of a forced
 * stop), or could bring those in (`lxc.include`).
 */
export const RAW_LXC_KEYS: readonly RawLxcKey[] = [
  ...keys('lxc.apparmor', 'allow_incomplete allow_nesting profile'),
  ...clearable('lxc.apparmor', 'raw'),
  ...keys('lxc', 'arch autodev autodev.tmpfs.size'),
  ...clearable('lxc.cap', 'drop keep'),
  ...keys('lxc.cgroup', 'devices.allow devices.deny cpu.* cpuset.* blkio.* memory.* pids.* hugetlb.*'),
  ...keys('lxc.cgroup', 'net_cls.* net_prio.* rdma.*'),
  ...keys('lxc.cgroup2', 'devices.allow devices.deny cpu.* cpuset.* io.* memory.* pids.* hugetlb.*'),
  ...keys('lxc.cgroup2', 'misc.* rdma.*'),
  ...keys('lxc', 'console.buffer.size console.size environment'),
  ...keys('lxc.hook', 'pre-start pre-mount mount autodev start-host start stop'),
  ...keys('lxc.init', 'cmd cwd gid uid'),
  ...keys('lxc', 'keyring.session log.level'),
  ...keys('lxc.mount', 'auto entry fstab'),
  ...keys('lxc.net.*', 'ipv4.address ipv4.gateway ipv6.address ipv6.gateway'),
  ...keys('lxc', 'no_new_privs prlimit.* proc.* pty.max sched.core seccomp.allow_nesting'),
  ...clearable('lxc', 'seccomp.profile selinux.context selinux.context.keyring'),
  ...keys('lxc', 'signal.halt signal.reboot sysctl.* time.offset.boot time.offset.monotonic tty.max'),
  ...clearable('lxc', 'tty.dir'),
];

/** How many characters of a wrong line a message repeats. */
const LINE_SHOWN = 80;

/** `raw.lxc`: lines as in lxc.container.conf(5). */
export const checkRawLxc: Check = (value) => {
  value.split('\n').forEach((line, index) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    const problem = problemOf(text);
    if (problem === '') return;
    const shown = JSON.stringify(text.slice(0, LINE_SHOWN));
    throw hostError('bad-request', `${problem}: line ${index + 1}, ${shown}`);
  });
};

function problemOf(line: string): string {
  const [, key = '', value = ''] = /^(lxc(?:\.[A-Za-z0-9_-]+)+)\s*=(.*)$/.exec(line) ?? [];
  if (key === '' || hasControl(line.replaceAll('\t', ' '))) return 'Invalid line in raw.lxc';
  const row = RAW_LXC_KEYS.find((each) => matches(each.key, key));
  if (!row) return `Setting ${key} through raw.lxc is not allowed`;
  return isEmpty(value) && !row.clears ? `Clearing ${key} through raw.lxc is not allowed` : '';
}

function matches(pattern: string, key: string): boolean {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return key === pattern;
  return key.length > before.length + after.length && key.startsWith(before) && key.endsWith(after);
}

/** Whether a value is empty to LXC, which removes one pair of quotes. */
function isEmpty(value: string): boolean {
  return /^\s*(['"]?)\s*\1\s*$/.test(value);
}
