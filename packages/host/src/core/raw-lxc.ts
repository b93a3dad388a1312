import { hostError } from './host-errors.ts';
import { type Check, hasControl } from './texts.ts';

/** A line that `raw.lxc` may have. */
export interface RawLxcKey {
  /** One `*` stands for one name or several with dots between. */
  readonly key: string;
  /**
   * Whether it may be empty, which takes away all that LXC has read for it so far. Where that would be lines of
   * ours, it may not.
   */
  readonly clears?: true;
}

/** Keys that begin in the same way; spaces stand between the names. */
const keys = (start: string, names: string): RawLxcKey[] =>
  names.split(' ').map((name) => ({ key: `${start}.${name}` }));
const clearable = (start: string, names: string): RawLxcKey[] =>
  keys(start, names).map(({ key }) => ({ key, clears: true }));

/**
 * All that `raw.lxc` may set. A list of what it may not set would have to know how LXC reads keys: it takes `lxc.hook`
 * for all hooks, for one. What is missing here is Porthole's (root, ids, name, log, the hook that tells the end of a
 * run, namespaces by which callers are known, the signal of a forced stop), or could bring that in (`lxc.include`).
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

/** How much of a wrong line a message repeats. */
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

/** LXC takes one pair of quotes away. */
function isEmpty(value: string): boolean {
  return /^\s*(['"]?)\s*\1\s*$/.test(value);
}
