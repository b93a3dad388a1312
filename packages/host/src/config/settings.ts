import { DEFAULT_BACKUPS as BACKUPS } from '../backups/defaults.ts';
import { LOG_LEVELS, type LogLevel } from '../base/log.ts';
import { DEFAULT_GUEST_LIMITS as GUEST } from '../guest/guest-limits.ts';
import { DEFAULT_LIMITS as IMAGES } from '../images/image-limits.ts';
import { DEFAULT_JOURNAL_LIMITS as JOURNAL } from '../store/sqlite/journal-limits.ts';

/** One setting: its possible values, its default, and what it is for. */
export type SettingRow =
  | {
      readonly kind: 'text';
      readonly default: string;
      readonly about: string;
      /** The values that it takes, and their description. */
      readonly form?: readonly [RegExp, string];
    }
  | {
      readonly kind: 'choice';
      readonly choices: readonly string[];
      readonly default: string;
      readonly about: string;
    }
  | {
      readonly kind: 'number';
      readonly min: number;
      readonly max: number;
      readonly default: number;
      readonly about: string;
    };

const ABSOLUTE = /^(?:\/.*)?$/;
const MS_PER_SECOND = 1000;
const DAY_SECONDS = 86_400;
const MINUTES_PER_YEAR = 525_600;

const number = (value: number, min: number, max: number, about: string) =>
  ({ kind: 'number', default: value, min, max, about }) as const;

const file = (about: string) =>
  ({ kind: 'text', default: '', form: [ABSOLUTE, 'an absolute path'], about }) as const;

const PORT = '(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d\\d|655[0-2]\\d|6553[0-5])';
const HOST = '(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])';
const ADDRESS = new RegExp(`^(?:${HOST}:${PORT})?$`);
const URLS = (scheme: string) => `${scheme}://${HOST}:${PORT}(?:,${scheme}://${HOST}:${PORT})*`;
const ENDPOINTS = new RegExp(`^(?:${URLS('http')}|${URLS('https')})?$`);

/**
 * Every setting. The name is the key in the settings file, and the flag after `--`. The environment variable
 * is PORTHOLE_ and the name in capitals, with `_` for `-`.
 */
export const SETTINGS = {
  'log-level': {
    kind: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    about: 'log messages of this level and of more serious ones',
  },
  'server-name': {
    kind: 'text',
    default: '',
    about: "the host's name for operators and instances; if empty, the system's hostname",
  },
  identification: {
    kind: 'choice',
    choices: ['auto', 'pidfd', 'pidfd-proc', 'proc'],
    default: 'auto',
    about:
      'the strongest way to identify callers that the daemon may use; it uses a weaker way if the kernel lacks this one',
  },
  'fast-lane': {
    kind: 'choice',
    choices: ['auto', 'off'],
    default: 'auto',
    about:
      'guest API: whether separate threads answer plain requests and send images, if the kernel allows it',
  },
  lxcfs: {
    kind: 'text',
    default: '/var/lib/lxcfs',
    about:
      'mount point of lxcfs, which shows instances their own memory, processors and uptime; off: without lxcfs',
  },
  'forget-removed': {
    kind: 'choice',
    choices: ['off', 'on'],
    default: 'off',
    about:
      'on: the daemon deletes an adopted instance when its runtime has removed the container; off: the instance stays, with its config',
  },
  'rootless-uids': {
    kind: 'text',
    default: '',
    form: [/^(?:[1-9]\d{0,8}(?:,(?=\d)|$))*$/, 'uids of users other than root, separated by commas'],
    about:
      'users, as uids separated by commas, whose rootless containers become instances; the names of these begin with the uid, such as u1000-web',
  },
  'cpu-weight': number(
    100,
    100,
    10_000,
    'how much of a busy processor the daemon gets, in percent of what each other group of processes gets, such as an instance; 100: as much as these; in a unit of systemd CPUWeight= counts instead',
  ),
  'instance-cpu-weight': number(
    100,
    1,
    100,
    'how much of a busy processor an instance gets from its next start on, in percent of what each other group of processes gets, such as a service of the host; 100: as much as these; less on hosts with hostile instances',
  ),
  'storm-cpu-weight': number(
    5,
    1,
    100,
    'how much of a busy processor an instance that Porthole runs gets while it is in a fork storm, that is while thousands of its processes a second begin, connect to the guest API and end, in percent of what each other group of processes gets; 100: no change',
  ),
  'stop-seconds': number(10, 0, 3600, 'how long running requests may take to end when the daemon stops'),
  'guest-head-bytes': number(
    GUEST.headBytes,
    1024,
    1_048_576,
    'guest API: largest request line and headers together',
  ),
  'guest-body-bytes': number(GUEST.bodyBytes, 1024, 16_777_216, 'guest API: largest request body'),
  'guest-request-seconds': number(
    GUEST.requestTimeoutMs / MS_PER_SECOND,
    1,
    600,
    'guest API: time for a whole request to arrive',
  ),
  'guest-idle-seconds': number(
    GUEST.idleTimeoutMs / MS_PER_SECOND,
    1,
    DAY_SECONDS,
    'guest API: how long a connection may stay silent',
  ),
  'guest-connections': number(
    GUEST.connectionsPerKey,
    1,
    65_536,
    'guest API: maximum number of open connections of one instance',
  ),
  'guest-connections-total': number(
    GUEST.connectionsTotal,
    1,
    1_048_576,
    'guest API: maximum number of open connections of all instances together, without the first 4 of each',
  ),
  'image-bytes': number(
    IMAGES.uploadedBytes,
    1,
    Number.MAX_SAFE_INTEGER,
    'largest image that operators can import',
  ),
  'image-unpacked-bytes': number(
    IMAGES.unpackedBytes,
    1,
    Number.MAX_SAFE_INTEGER,
    'largest size of an unpacked image',
  ),
  'image-entries': number(IMAGES.entries, 1, Number.MAX_SAFE_INTEGER, 'maximum number of files in an image'),
  'journal-events': number(JOURNAL.events, 1000, 100_000_000, 'maximum number of events in the journal'),
  'journal-sure-events': number(
    JOURNAL.sureEvents,
    1,
    100_000,
    'number of newest events that each instance always keeps, even if the journal then has more than journal-events',
  ),
  'journal-instance-events': number(
    JOURNAL.instanceEvents,
    100,
    100_000_000,
    'maximum number of events of one instance in the journal',
  ),
  'journal-days': number(
    JOURNAL.days,
    1,
    3650,
    'days for which the journal keeps events; only the time in which the daemon runs counts',
  ),
  'backup-minutes': number(
    BACKUPS.minutes,
    0,
    MINUTES_PER_YEAR,
    'minutes between two copies of the database; 0: the daemon makes copies only when an operator asks',
  ),
  'backup-count': number(
    BACKUPS.count,
    1,
    10_000,
    'maximum number of copies of the database; older ones are removed',
  ),
  'backup-folder': {
    kind: 'text',
    default: '',
    form: [ABSOLUTE, 'an absolute path'],
    about:
      'folder of the copies of the database, best on another disk; if empty, `backups` in the state directory',
  },
  store: {
    kind: 'choice',
    choices: ['sqlite', 'etcd'],
    default: 'sqlite',
    about:
      'where profiles, images, aliases and the records of instances are: in this host’s own database, or in etcd, which several hosts share',
  },
  'etcd-endpoints': {
    kind: 'text',
    default: '',
    form: [ENDPOINTS, 'URLs with a host and a port, separated by commas, all http or all https'],
    about:
      'etcd: the URLs of its nodes, separated by commas, such as https://etcd-1:2379,https://etcd-2:2379',
  },
  'etcd-prefix': {
    kind: 'text',
    default: '/porthole/',
    form: [/^\/(?:[A-Za-z0-9._-]+\/)+$/, 'a path that begins and ends with a slash, such as /porthole/'],
    about: 'etcd: all keys of the fleet begin with this; hosts with the same prefix are one fleet',
  },
  'etcd-ca': file(
    'etcd: file with the authorities (PEM) that its certificate is checked with; if empty, those of Node',
  ),
  'etcd-cert': file('etcd: file with the certificate (PEM) that this host shows; needs etcd-key'),
  'etcd-key': file('etcd: file with the key (PEM) of etcd-cert'),
  'etcd-user': {
    kind: 'text',
    default: '',
    about: 'etcd: the user, if it asks for a password; needs etcd-password-file',
  },
  'etcd-password-file': file('etcd: file whose first line is the password of etcd-user'),
  'member-address': {
    kind: 'text',
    default: '',
    form: [ADDRESS, 'HOST:PORT, such as 192.0.2.1:8444 or [2001:db8::1]:8444'],
    about: 'address on which this host answers the other hosts of its fleet, as HOST:PORT',
  },
} as const satisfies Record<string, SettingRow>;

export type SettingName = keyof typeof SETTINGS;

/** The settings, checked. */
export type Settings = {
  readonly [K in SettingName]: K extends 'log-level'
    ? LogLevel
    : K extends 'identification'
      ? 'auto' | 'pidfd' | 'pidfd-proc' | 'proc'
      : K extends 'fast-lane'
        ? 'auto' | 'off'
        : K extends 'store'
          ? 'sqlite' | 'etcd'
          : (typeof SETTINGS)[K]['kind'] extends 'number'
            ? number
            : string;
};

/** The settings as the lines of `portholed --help` and of the documentation. */
export function describeSettings(): readonly { name: SettingName; takes: string; about: string }[] {
  return (Object.entries(SETTINGS) as [SettingName, SettingRow][]).map(([name, row]) => ({
    name,
    takes: takes(row),
    about: row.about,
  }));
}

function takes(row: SettingRow): string {
  if (row.kind === 'choice') return `${row.choices.join(', ')}; ${row.default}`;
  if (row.kind === 'number') return `${row.min} to ${row.max}; ${row.default}`;
  return row.default === '' ? 'text' : `text; ${row.default}`;
}
