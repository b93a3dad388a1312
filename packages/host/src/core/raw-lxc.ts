import { hostError } from './errors.ts';
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

const keys = (...names: readonly string[]): RawLxcKey[] => names.map((key) => ({ key }));
const clearable = (...names: readonly string[]): RawLxcKey[] =>
  names.map((key) => ({ key, clears: true }) as const);

/**
 * All that `raw.lxc` may set. A list of what it may not set would have to know how LXC reads keys: it takes `lxc.hook`
 * for all hooks, for one. What is missing here is Porthole's (root, ids, name, log, the hook that tells the end of a
 * run, namespaces by which callers are known, the signal of a forced stop), or could bring that in (`lxc.include`).
 */
export const RAW_LXC_KEYS: readonly RawLxcKey[] = [
  ...keys('lxc.apparmor.allow_incomplete', 'lxc.apparmor.allow_nesting', 'lxc.apparmor.profile'),
  ...clearable('lxc.apparmor.raw'),
  ...keys('lxc.arch', 'lxc.autodev', 'lxc.autodev.tmpfs.size'),
  ...clearable('lxc.cap.drop', 'lxc.cap.keep'),
  ...keys('lxc.cgroup.devices.allow', 'lxc.cgroup.devices.deny', 'lxc.cgroup.cpu.*', 'lxc.cgroup.cpuset.*'),
  ...keys('lxc.cgroup.blkio.*', 'lxc.cgroup.memory.*', 'lxc.cgroup.pids.*', 'lxc.cgroup.hugetlb.*'),
  ...keys('lxc.cgroup.net_cls.*', 'lxc.cgroup.net_prio.*', 'lxc.cgroup.rdma.*'),
  ...keys(
    'lxc.cgroup2.devices.allow',
    'lxc.cgroup2.devices.deny',
    'lxc.cgroup2.cpu.*',
    'lxc.cgroup2.cpuset.*',
  ),
  ...keys('lxc.cgroup2.io.*', 'lxc.cgroup2.memory.*', 'lxc.cgroup2.pids.*', 'lxc.cgroup2.hugetlb.*'),
  ...keys('lxc.cgroup2.misc.*', 'lxc.cgroup2.rdma.*'),
  ...keys('lxc.console.buffer.size', 'lxc.console.size', 'lxc.environment'),
  ...keys('lxc.hook.pre-start', 'lxc.hook.pre-mount', 'lxc.hook.mount', 'lxc.hook.autodev'),
  ...keys('lxc.hook.start-host', 'lxc.hook.start', 'lxc.hook.stop'),
  ...keys(
    'lxc.init.cmd',
    'lxc.init.cwd',
    'lxc.init.gid',
    'lxc.init.uid',
    'lxc.keyring.session',
    'lxc.log.level',
  ),
  ...keys('lxc.mount.auto', 'lxc.mount.entry', 'lxc.mount.fstab'),
  ...keys(
    'lxc.net.*.ipv4.address',
    'lxc.net.*.ipv4.gateway',
    'lxc.net.*.ipv6.address',
    'lxc.net.*.ipv6.gateway',
  ),
  ...keys('lxc.no_new_privs', 'lxc.prlimit.*', 'lxc.proc.*', 'lxc.pty.max', 'lxc.sched.core'),
  ...keys('lxc.seccomp.allow_nesting'),
  ...clearable('lxc.seccomp.profile', 'lxc.selinux.context', 'lxc.selinux.context.keyring'),
  ...keys('lxc.signal.halt', 'lxc.signal.reboot', 'lxc.sysctl.*'),
  ...keys('lxc.time.offset.boot', 'lxc.time.offset.monotonic', 'lxc.tty.max'),
  ...clearable('lxc.tty.dir'),
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
