import { ADOPTED, checkAdopted } from './adopted.ts';
import { checkBoolean } from './booleans.ts';
import {
  checkCpu,
  checkEnvironment,
  checkKernelLimit,
  checkMemory,
  checkSshKey,
  checkSysctl,
  checkYaml,
} from './config-checks.ts';
import { CONTAINER_ABOUT, CONTAINER_TEXTS, checkContainerLabels, checkContainerText } from './container.ts';
import { checkGuestKey } from './guest-keys.ts';
import { hostError } from './host-errors.ts';
import { ADOPT_MACHINES, checkMachinePatterns } from './machine-patterns.ts';
import { checkMetaData } from './meta-data.ts';
import { checkRawLxc } from './raw-lxc.ts';
import { checkHwaddr, checkInterfaceName, checkLine, integer, matching, oneOf } from './texts.ts';

/**
 * How Porthole treats a key: `applied` keys have an effect; `recorded` keys are stored and shown without
 * effect; `refused` keys exist in LXD, but would promise a limit or a protection that Porthole lacks.
 */
export type ConfigKeyUse = 'applied' | 'recorded' | 'refused';

export interface ConfigKey {
  /** A `*` stands for one or more characters. */
  readonly key: string;
  readonly use: ConfigKeyUse;
  /** Throws for a bad value; `name` is the part of the key at the `*`. */
  readonly check?: (value: string, name: string) => void;
  /** For the documentation. */
  readonly about: string;
}

/** The limit of seconds and priorities: a 32-bit signed integer. */
const INT_MAX = 2 ** 31 - 1;
/** The most pids that Linux can have, linux/threads.h: PID_MAX_LIMIT. */
const PROCESSES_MAX = 4 * 1024 * 1024;

const checkUuid = matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a uuid');
/** The forms of a uuid that LXD takes from operators. */
const OPERATOR_UUID =
  /^((urn:uuid:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}|[0-9a-f]{32})$/i;
const checkFingerprint = matching(/^[0-9a-f]{64}$/, '64 hex digits');
const seconds = integer(0, INT_MAX);
const priority = integer(-INT_MAX, INT_MAX);

/** Every key that Porthole knows. If several rows match a key, an exact one counts, else the first. */
export const CONFIG_KEYS: readonly ConfigKey[] = [
  {
    key: ADOPT_MACHINES,
    use: 'applied',
    check: checkMachinePatterns,
    about:
      "of profiles only, Porthole's own: names and patterns such as `web-*`, with commas, of machines of systemd-nspawn that become instances with this profile",
  },
  {
    key: 'boot.autostart',
    use: 'applied',
    check: checkBoolean,
    about: 'whether it starts with the daemon; unset: if it ran before',
  },
  { key: 'boot.autostart.delay', use: 'applied', check: seconds, about: 'seconds to wait after its start' },
  {
    key: 'boot.autostart.priority',
    use: 'applied',
    check: priority,
    about: 'instances with a higher number start first',
  },
  {
    key: 'boot.host_shutdown_timeout',
    use: 'recorded',
    check: seconds,
    about: 'seconds for a clean shutdown',
  },
  {
    key: 'boot.stop.priority',
    use: 'recorded',
    check: priority,
    about: 'order in which instances shut down',
  },
  {
    key: 'cloud-init.network-config',
    use: 'applied',
    check: checkYaml,
    about: 'network configuration, YAML',
  },
  { key: 'cloud-init.user-data', use: 'applied', about: 'user data' },
  { key: 'cloud-init.vendor-data', use: 'applied', about: 'vendor data' },
  {
    key: 'cloud-init.ssh-keys.*',
    use: 'applied',
    check: checkSshKey,
    about: '`user:key`, merged into user data or vendor data',
  },
  {
    key: 'cluster.evacuate',
    use: 'recorded',
    check: oneOf('auto', 'migrate', 'live-migrate', 'stop'),
    about: 'stored, without effect',
  },
  { key: 'environment.*', use: 'applied', check: checkEnvironment, about: 'environment of init and exec' },
  { key: 'guest.*', use: 'applied', check: checkGuestKey, about: 'the instance itself writes these keys' },
  { key: 'image.*', use: 'recorded', about: 'properties of its image' },
  {
    key: 'limits.cpu',
    use: 'applied',
    check: checkCpu,
    about: 'number or set of processors; for a number, the daemon chooses the least used ones',
  },
  {
    key: 'limits.memory',
    use: 'applied',
    check: checkMemory,
    about: 'bytes, or percent of the memory of the host; does not limit swap',
  },
  {
    key: 'limits.processes',
    use: 'applied',
    check: integer(1, PROCESSES_MAX),
    about: 'maximum number of processes',
  },
  {
    key: 'limits.kernel.*',
    use: 'applied',
    check: checkKernelLimit,
    about: 'resource limits of its processes; can change only while it is stopped; unset: nofile is 1048576',
  },
  ...[
    'limits.cpu.allowance',
    'limits.cpu.priority',
    'limits.disk.priority',
    'limits.hugepages.*',
    'limits.memory.enforce',
    'limits.memory.swap',
    'limits.memory.swap.priority',
    'limits.network.priority',
  ].map((key) => ({ key, use: 'refused', about: 'limits that Porthole cannot apply' }) as const),
  { key: 'linux.sysctl.*', use: 'applied', check: checkSysctl, about: 'kernel parameters of its namespaces' },
  { key: 'linux.kernel_modules', use: 'refused', about: 'modules to load before its start' },
  { key: 'migration.*', use: 'refused', about: 'live migration' },
  { key: 'nvidia.*', use: 'refused', about: 'GPUs' },
  { key: 'raw.lxc', use: 'applied', check: checkRawLxc, about: "lines for LXC's configuration" },
  { key: 'raw.apparmor', use: 'refused', about: 'lines for its AppArmor profile' },
  { key: 'raw.idmap', use: 'refused', about: 'choice of user and group ids' },
  { key: 'raw.seccomp', use: 'refused', about: 'system call filter' },
  { key: 'security.devlxd', use: 'applied', check: checkBoolean, about: 'the guest API; unset: on' },
  {
    key: 'security.devlxd.guest_config',
    use: 'applied',
    check: checkBoolean,
    about: 'the instance may write its own guest.* keys; unset: off',
  },
  {
    key: 'security.devlxd.images',
    use: 'applied',
    check: checkBoolean,
    about: 'the instance may download images; unset: off',
  },
  { key: 'security.nesting', use: 'applied', check: checkBoolean, about: 'containers inside the instance' },
  { key: 'security.privileged', use: 'applied', check: checkBoolean, about: 'no user namespace' },
  {
    key: 'security.protection.delete',
    use: 'applied',
    check: checkBoolean,
    about: 'deleting the instance is an error',
  },
  { key: 'security.protection.shift', use: 'refused', about: 'its files keep their owners' },
  { key: 'security.idmap.*', use: 'refused', about: 'choice of user and group ids' },
  { key: 'security.syscalls.*', use: 'refused', about: 'system call filters and interception' },
  { key: 'snapshots.*', use: 'refused', about: 'snapshots' },
  {
    key: 'user.meta-data',
    use: 'applied',
    check: checkMetaData,
    about: "YAML, appended to cloud-init's meta-data",
  },
  { key: 'user.*', use: 'applied', about: 'for any use; the instance can read them' },
  {
    key: ADOPTED,
    use: 'applied',
    check: checkAdopted,
    about: 'set by the daemon: init of a run that another runtime has started',
  },
  {
    key: 'volatile.apply_template',
    use: 'applied',
    check: checkLine,
    about: "set by the daemon: trigger of the templates that the next start applies, 'create' or 'rename'",
  },
  {
    key: 'volatile.base_image',
    use: 'applied',
    check: checkFingerprint,
    about: 'set by the daemon: fingerprint of its image',
  },
  {
    key: 'volatile.cloud-init.instance-id',
    use: 'applied',
    check: checkInstanceId,
    about: "cloud-init's instance id, a uuid",
  },
  {
    key: 'volatile.container.labels',
    use: 'applied',
    check: checkContainerLabels,
    about: "set by the daemon for a container of another runtime: the container's labels, as JSON",
  },
  ...CONTAINER_TEXTS.map(
    (name) =>
      ({
        key: `volatile.container.${name}`,
        use: 'applied',
        check: checkContainerText,
        about: `set by the daemon for a container of another runtime: ${CONTAINER_ABOUT[name]}`,
      }) as const,
  ),
  { key: 'volatile.evacuate.origin', use: 'recorded', check: checkLine, about: 'stored, without effect' },
  { key: 'volatile.apply_quota', use: 'recorded', check: checkLine, about: 'stored, without effect' },
  { key: 'volatile.idmap.base', use: 'recorded', check: checkLine, about: 'stored, without effect' },
  { key: 'volatile.idmap.current', use: 'recorded', check: checkLine, about: 'stored, without effect' },
  { key: 'volatile.idmap.next', use: 'recorded', check: checkLine, about: 'stored, without effect' },
  { key: 'volatile.last_state.idmap', use: 'recorded', check: checkLine, about: 'stored, without effect' },
  {
    key: 'volatile.last_state.power',
    use: 'applied',
    check: checkLine,
    about:
      'set by the daemon: RUNNING, STOPPED, RESTARTING during a restart, REBOOTING after a reboot from inside',
  },
  {
    key: 'volatile.last_state.ready',
    use: 'applied',
    check: checkBoolean,
    about: 'set by the daemon: whether it has reported that it is ready',
  },
  {
    key: 'volatile.uuid',
    use: 'recorded',
    check: checkUuid,
    about: "set by the daemon: the instance's uuid",
  },
  {
    key: 'volatile.*.hwaddr',
    use: 'applied',
    check: checkHwaddr,
    about: 'address of a nic whose config has none',
  },
  {
    key: 'volatile.*.name',
    use: 'applied',
    check: checkInterfaceName,
    about: 'name of a nic whose config has none',
  },
  {
    key: 'volatile.*.host_name',
    use: 'recorded',
    check: checkInterfaceName,
    about: "set by the daemon: the nic's interface on the host",
  },
  {
    key: 'volatile.*.created',
    use: 'applied',
    check: checkLine,
    about: 'whether the daemon has made the mount point of a disk while the instance ran',
  },
  ...['apply_quota', 'driver', 'id', 'mtu', 'uuid', 'vlan'].map((option) => {
    return {
      key: `volatile.*.${option}`,
      use: 'recorded',
      check: checkLine,
      about: 'stored, without effect',
    } as const;
  }),
];

const EXACT: ReadonlyMap<string, ConfigKey> = new Map(
  CONFIG_KEYS.filter(({ key }) => !key.includes('*')).map((row) => [row.key, row]),
);
const PATTERNS = CONFIG_KEYS.filter(({ key }) => key.includes('*')).map((row) => {
  const [prefix = '', suffix = ''] = row.key.split('*');
  return { row, prefix, suffix };
});

/** The row of a key, and the part of the key at the `*`; undefined for an unknown key. */
export function findConfigKey(key: string): { readonly row: ConfigKey; readonly name: string } | undefined {
  const exact = EXACT.get(key);
  if (exact) return { row: exact, name: '' };
  const found = PATTERNS.find(
    ({ prefix, suffix }) =>
      key.length > prefix.length + suffix.length && key.startsWith(prefix) && key.endsWith(suffix),
  );
  return found && { row: found.row, name: key.slice(found.prefix.length, key.length - found.suffix.length) };
}

function checkInstanceId(value: string): void {
  if (!OPERATOR_UUID.test(value)) throw hostError('bad-request', 'Invalid UUID');
}
