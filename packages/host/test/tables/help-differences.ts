/** Differences, each with its reason. */
export type Differences = Readonly<Record<string, string>>;

const REMOTES =
  'porthole uses one daemon, through its state directory; lxc can have several daemons as remotes';
const MEMBERS = 'members of a fleet have no roles, groups or config, and keep their names';
const JOIN = 'hosts join a fleet through etcd, without tokens';
const PROJECT = 'there is one project';
const MACHINES = 'there are no virtual machines';
const SERVER_CONFIG = 'the daemon has its own settings, and clients cannot change them';
const SAVED_STATE = 'Porthole does not save and restore running processes';
const CONSOLE = 'use the command console';
const ALL = 'porthole takes no names with --all; lxc takes both';
const EMPTY = 'porthole takes no image with --empty; lxc takes both';

/** Verbs of lxc that porthole lacks, with all verbs below them. */
export const VERBS_NOT_OURS: Differences = {
  alias: 'the shell has aliases',
  'cluster add': JOIN,
  'cluster edit': MEMBERS,
  'cluster evacuate': 'an instance stays on its host',
  'cluster get': MEMBERS,
  'cluster group': MEMBERS,
  'cluster list-tokens': JOIN,
  'cluster rename': MEMBERS,
  'cluster restore': 'an instance stays on its host',
  'cluster revoke-token': JOIN,
  'cluster role': MEMBERS,
  'cluster set': MEMBERS,
  'cluster unset': MEMBERS,
  'cluster update-certificate': 'each member makes its own certificate',
  'config metadata': 'the daemon does not edit the metadata of instances',
  'config template': 'the daemon applies the templates of an image, but does not edit them in an instance',
  'config trust': 'every user who can open the socket is an operator',
  copy: 'Porthole makes instances from images only',
  export: 'there are no backups',
  'file mount': 'there is no SFTP',
  'image copy': REMOTES,
  'image refresh': 'Porthole gets images from uploads only',
  import: 'there are no backups',
  manpage: 'the Debian package has a manual page for each command',
  move: 'an instance stays on its host; use rename to change a name',
  network: 'there are no networks',
  project: PROJECT,
  publish: 'Porthole gets images from uploads only',
  remote: REMOTES,
  restore: 'there are no snapshots',
  snapshot: 'there are no snapshots',
  storage: 'there are no storage pools',
  warning: 'the daemon writes warnings into its log',
};

/** Verbs of porthole that lxc lacks. */
export const VERBS_OF_OURS: Differences = {
  backup: 'LXD copies its database only at upgrades',
  'backup create': 'LXD copies its database only at upgrades',
  'backup list': 'LXD copies its database only at upgrades',
  'backup verify': 'LXD copies its database only at upgrades',
  adopt: 'LXD does not serve containers of other runtimes',
  setup: 'LXD does not serve containers of other runtimes',
  'cluster disable': 'LXD has it in its API only',
  'setup cdi': 'LXD does not serve containers of other runtimes',
  'setup docker': 'LXD does not serve containers of other runtimes',
  'setup lxc': 'LXD does not serve containers of other runtimes',
  'setup nspawn': 'LXD does not serve containers of other runtimes',
  'setup podman': 'LXD does not serve containers of other runtimes',
  tour: 'LXD has no guided tour',
  completion: 'the package of lxc contains a completion script',
  cp: 'as in other programs; lxc has file push and file pull',
  'image build': 'LXD downloads images from other servers',
  'image set-cached': 'LXD itself marks images that it has downloaded',
  inspect: 'as in other programs; lxc has query',
  kill: 'as in other programs; lxc has stop --force',
  logs: 'LXD cannot follow the output of a console',
  shell: 'in lxc it is an alias of exec, and the help does not list it',
  wait: 'LXD has no such command',
};

/** Flags of lxc, by verb, that porthole lacks. */
export const FLAGS_NOT_OURS: Differences = {
  '--all': 'porthole hides no command',
  '--debug': "requests and answers are in the daemon's log",
  '--force-local': REMOTES,
  '--sub-commands': 'the help of a group lists its commands',
  '-v,--verbose': 'there is no more detailed output',
  ...each(
    ['config edit', 'config get', 'config set', 'config show', 'config unset'],
    '--target',
    SERVER_CONFIG,
  ),
  'image export --vm': `${MACHINES}; porthole takes a name as it is, lxc adds the extension of the format`,
  ...each(['image info', 'image show', 'init', 'launch'], '--vm', MACHINES),
  ...each(['init', 'launch'], '-n,--network', 'add a nic as a device, with -d or a profile'),
  ...each(['init', 'launch'], '-s,--storage', 'there are no storage pools'),
  ...each(['init', 'launch'], '-t,--type', 'set limits as config keys, with -c or a profile'),
  ...each(['launch', 'restart', 'start', 'stop'], '--console', CONSOLE),
  ...each(['list', 'monitor'], '--all-projects', PROJECT),
  'profile copy --target-project': PROJECT,
  'start --stateless': SAVED_STATE,
  'stop --stateful': SAVED_STATE,
};

/** Flags of porthole, by verb, that lxc lacks. */
export const FLAGS_OF_OURS: Differences = {
  '--state-dir': 'names the daemon; lxc has LXD_DIR for it',
  ...each(['config device list', 'profile device list', 'info'], '-f,--format', 'prints output for programs'),
  'cluster enable --address': 'LXD has server config for it',
  'cluster enable --name': 'porthole has a default: the name of the host',
  'cluster show -f,--format': 'prints output for programs',
  'config device show -e,--expanded': 'shows the devices of profiles too',
  ...each(['init', 'launch'], '--config-file', 'lxc reads config from standard input, and waits for it'),
  ...each(
    ['image alias create', 'init', 'launch', 'profile create'],
    '--description',
    'sets the description without a later edit',
  ),
  'monitor --since': 'LXD does not store events',
};

/** Arguments of lxc and of porthole: R required, O optional, `*` any number. */
export const ARGUMENTS: Differences = {
  'cluster enable: R / ': 'porthole takes the name as --name, and has a default',
  'config edit: O / R': SERVER_CONFIG,
  'config get: O R / R R': SERVER_CONFIG,
  'config set: O R O* / R R O*': SERVER_CONFIG,
  'config show: O / R': SERVER_CONFIG,
  'config unset: O R / R R': SERVER_CONFIG,
  'exec: R R / R R O*': 'the help of lxc calls a command of several words one argument; both take the same',
  'file pull: R O* R / R O*': 'the last one is the target; both take the same',
  'file push: R O* R / R O*': 'the last one is the target; both take the same',
  'image import: R O O* / R O*': 'the second file and the properties are told apart; both take the same',
  'init: R O / O O': EMPTY,
  'launch: R O / O O': EMPTY,
  'pause: R O* / O*': ALL,
  'restart: R O* / O*': ALL,
  'start: R O* / O*': ALL,
  'stop: R O* / O*': ALL,
};

function each(verbs: readonly string[], flag: string, why: string): Differences {
  return Object.fromEntries(verbs.map((verb) => [`${verb} ${flag}`, why]));
}
