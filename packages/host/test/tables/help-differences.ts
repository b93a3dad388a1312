/** Differences, each with its reason. */
export type Differences = Readonly<Record<string, string>>;

const REMOTES = 'one daemon, by its state directory; lxc itself can have several as remotes';
const CLUSTER = 'there is one host, and no cluster';
const PROJECT = 'there is one project';
const MACHINES = 'there are no virtual machines';
const SERVER_CONFIG = 'the daemon has settings of its own and no config that clients change';
const SAVED_STATE = 'what runs inside is not saved and restored';
const CONSOLE = 'the console is a command of its own';
const ALL = 'none are named with --all, which lxc takes too';
const EMPTY = 'no image is named with --empty, nor a name with a file; lxc takes that too';

/** Verbs of lxc that porthole lacks, with all verbs below them. */
export const VERBS_NOT_OURS: Differences = {
  alias: 'the shell has aliases',
  cluster: CLUSTER,
  'config metadata': 'the metadata of an image is not edited in an instance',
  'config template': 'the templates of an image are applied, but not edited in an instance',
  'config trust': 'everybody who may open the socket is an operator',
  copy: 'instances are made from images only',
  export: 'there are no backups',
  'file mount': 'there is no SFTP',
  'image copy': REMOTES,
  'image refresh': 'images come from uploads only',
  import: 'there are no backups',
  manpage: 'the manual is docs/commands.md',
  move: 'there is one host; rename gives another name',
  network: 'there are no networks',
  project: PROJECT,
  publish: 'images come from uploads only',
  remote: REMOTES,
  restore: 'there are no snapshots',
  snapshot: 'there are no snapshots',
  storage: 'there are no storage pools',
  warning: 'the daemon keeps no warnings: its log has them',
};

/** Verbs of porthole that lxc lacks. */
export const VERBS_OF_OURS: Differences = {
  adopt: 'LXD serves no containers of other runtimes',
  tour: 'LXD has no guided tour',
  completion: 'lxc has a script that comes with its package',
  cp: 'a word of other programs; lxc has file push and file pull',
  'image build': 'LXD fetches a first image from elsewhere',
  'image set-cached': 'LXD marks what it has fetched itself',
  inspect: 'a word of other programs; lxc has query',
  kill: 'a word of other programs; lxc has stop --force',
  logs: 'LXD cannot follow what a console prints',
  shell: 'lxc has it as an alias of exec that its help does not list',
  wait: 'LXD has nothing to wait with',
};

/** Flags of lxc, by verb, that porthole lacks. */
export const FLAGS_NOT_OURS: Differences = {
  '--all': 'no command is hidden',
  '--debug': "requests and answers are in the daemon's log",
  '--force-local': REMOTES,
  '--sub-commands': 'the help of a group lists what is in it',
  '-v,--verbose': 'there is nothing more to tell',
  ...each(['config edit', 'config get', 'config set', 'config show', 'config unset'], '--target', CLUSTER),
  ...each(['info', 'init', 'launch'], '--target', CLUSTER),
  ...each(['image export', 'image info', 'image show', 'init', 'launch'], '--vm', MACHINES),
  ...each(['init', 'launch'], '-n,--network', 'a nic is a device: -d, or a profile'),
  ...each(['init', 'launch'], '-s,--storage', 'there are no storage pools'),
  ...each(['init', 'launch'], '-t,--type', 'limits are keys: -c, or a profile'),
  ...each(['launch', 'restart', 'start', 'stop'], '--console', CONSOLE),
  ...each(['list', 'monitor'], '--all-projects', PROJECT),
  'profile copy --target-project': PROJECT,
  'start --stateless': SAVED_STATE,
  'stop --stateful': SAVED_STATE,
};

/** Flags of porthole, by verb, that lxc lacks. */
export const FLAGS_OF_OURS: Differences = {
  '--state-dir': 'the way to the daemon; lxc has LXD_DIR for it',
  ...each(['config device list', 'profile device list', 'info'], '-f,--format', 'output for programs'),
  'config device show -e,--expanded': 'with those of the profiles',
  ...each(
    ['init', 'launch'],
    '--config-file',
    'lxc reads it from standard input, which waits when there is none',
  ),
  ...each(['image alias create', 'init', 'launch', 'profile create'], '--description', 'saves an edit'),
  'monitor --since': 'LXD keeps no events of the past',
};

/** Arguments of lxc and of porthole: R required, O optional, `*` any number. */
export const ARGUMENTS: Differences = {
  'config edit: O / R': SERVER_CONFIG,
  'config get: O R / R R': SERVER_CONFIG,
  'config set: O R O* / R R O*': SERVER_CONFIG,
  'config show: O / R': SERVER_CONFIG,
  'config unset: O R / R R': SERVER_CONFIG,
  'exec: R R / R R O*': 'lxc calls a command of several words one argument; both take the same',
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
