import { importsOf } from './imports.ts';
import { isTest, type Source } from './source.ts';

const HOST = 'packages/host/src/';

interface Room {
  /** Rooms whose values and types it may import, itself apart. */
  readonly imports: readonly string[];
  /** Rooms or files of which it may import types only. */
  readonly types?: readonly string[];
}

/** The rooms of the daemon and who may import whom; docs/architecture.md says what each is for. */
export const ROOMS: Readonly<Record<string, Room>> = {
  base: { imports: [] },
  wire: { imports: ['base'] },
  core: { imports: ['base'], types: ['packages/guest/src/wire.ts'] },
  store: { imports: ['base', 'core', 'etcd'] },
  etcd: { imports: ['base'] },
  backups: { imports: ['base', 'core', 'process', 'store'] },
  records: { imports: ['base', 'core'] },
  recovery: { imports: ['base', 'core', 'records', 'store'] },
  native: { imports: ['base'] },
  process: { imports: ['base'] },
  peer: { imports: ['base', 'core', 'native'] },
  http: { imports: ['base', 'native'] },
  templates: { imports: ['base', 'core'] },
  images: { imports: ['base', 'core', 'process', 'templates'] },
  build: { imports: ['base', 'process'] },
  runtimes: { imports: ['base', 'core', 'native', 'process'] },
  model: { imports: ['base', 'core', 'store'] },
  instances: { imports: ['base', 'core', 'model', 'images', 'templates'], types: ['runtimes/contract'] },
  profiles: { imports: ['base', 'core', 'model', 'instances'] },
  library: { imports: ['base', 'core', 'model', 'images'], types: ['instances/needs.ts'] },
  startup: {
    imports: ['base', 'core', 'model', 'images', 'instances', 'profiles', 'store'],
    types: ['runtimes/contract'],
  },
  containers: { imports: ['base', 'core', 'process', 'model', 'instances'], types: ['runtimes/contract'] },
  events: { imports: ['base', 'core'] },
  guest: { imports: ['base', 'core', 'http', 'events'], types: ['packages/guest/src/wire.ts'] },
  sender: { imports: ['base', 'native'] },
  lane: { imports: ['base', 'core', 'native', 'peer', 'http', 'guest'] },
  host: {
    imports: ['base', 'wire', 'core', 'events'],
    types: ['model', 'instances/requests.ts', 'profiles', 'library', 'images/upload.ts', 'runtimes/contract'],
  },
  fleet: {
    imports: ['base', 'core', 'native', 'process', 'store', 'images', 'model', 'instances'],
    types: ['host/fleet-cases.ts'],
  },
  client: { imports: ['base', 'wire', 'packages/guest/src/multipart.ts'] },
  tour: { imports: ['base'] },
  setup: { imports: ['base'] },
  wrapper: { imports: ['base', 'setup'] },
  cli: { imports: ['base', 'core', 'wire', 'client', 'backups', 'build', 'setup', 'tour'] },
  config: { imports: ['base', 'http', 'guest', 'images', 'store', 'backups'] },
  'service-manager': { imports: ['base', 'native'] },
  restart: { imports: ['base', 'native', 'process', 'service-manager'] },
  daemon: {
    imports: [
      ...[
        'base',
        'core',
        'store',
        'native',
        'process',
        'peer',
        'http',
        'images',
        'runtimes',
        'guest',
        'sender',
      ],
      ...[
        'model',
        'instances',
        'profiles',
        'library',
        'startup',
        'lane',
        'host',
        'config',
        'service-manager',
      ],
      ...['restart', 'containers', 'backups', 'records', 'recovery', 'fleet', 'etcd'],
    ],
  },
  'main.ts': { imports: ['base', 'restart', 'daemon'] },
};

/** The room of a file of the daemon: its first folder, or the file itself; null elsewhere. */
export function roomOf(path: string): string | null {
  return path.startsWith(HOST) ? (path.slice(HOST.length).split('/')[0] as string) : null;
}

/** Imports that the table does not allow, such as `core/x.ts imports store/y.ts`. Tests may import anything. */
export function forbiddenImports(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !isTest(path))
    .flatMap((source) =>
      importsOf(source)
        .filter(({ target, typeOnly }) => target !== null && !mayImport(source.path, target, typeOnly))
        .map(({ target }) => `${source.path} imports ${target}`),
    );
}

function mayImport(path: string, target: string, typeOnly: boolean): boolean {
  const room = roomOf(path);
  // Outside the daemon's rooms (setup, tools, the guest package) a file imports from its own folder only; the
  // benchmarks also from the rooms that tests and operators use to drive a daemon, the fuzzer and the walk through
  // faults, like a test, from all; the soak from both.
  if (path.startsWith(CHECKER)) return target.startsWith(CHECKER);
  if (room === null)
    return (
      areaOf(path) === areaOf(target) ||
      [isDriven, isTried, isWalked, isSoaked, isPackaged].some((may) => may(path, target))
    );
  const targetRoom = roomOf(target) ?? target;
  if (room === targetRoom) return true;
  const allowed = ROOMS[room];
  if (allowed?.imports.includes(targetRoom)) return true;
  const inside = target.startsWith(HOST) ? target.slice(HOST.length) : target;
  const isAllowed = (each: string) => each === targetRoom || each === inside || inside.startsWith(`${each}/`);
  return typeOnly && (allowed?.types?.some(isAllowed) ?? false);
}

/** Rooms with which the benchmarks make images, start programs and ask the host API. */
const DRIVERS: readonly string[] = ['build', 'client', 'process', 'wire'];
/** The limits that they hold the daemon to, the hooks and the built form that they measure, the client of etcd. */
const PROMISED: readonly string[] = [
  `${HOST}etcd/client.ts`,
  `${HOST}guest/guest-limits.ts`,
  `${HOST}setup/edits.ts`,
  'tools/build/bundle.ts',
];

function isDriven(path: string, target: string): boolean {
  return path.startsWith('bench/') && (DRIVERS.includes(roomOf(target) ?? '') || PROMISED.includes(target));
}

/** The soak takes of the other programs what makes daemons, choices and tables. */
const SOAKED = /^(bench\/(frame|peers)\/|bench\/report\.ts$|fuzz\/random\.ts$)/;

function isSoaked(path: string, target: string): boolean {
  return path.startsWith('soak/') && (DRIVERS.includes(roomOf(target) ?? '') || SOAKED.test(target));
}

function isTried(path: string, target: string): boolean {
  return path.startsWith('fuzz/') && target.startsWith(HOST);
}

/** What checks a daemon after a fault shares no code with it. */
const CHECKER = 'faults/check/';

function isWalked(path: string, target: string): boolean {
  return path.startsWith('faults/') && (target.startsWith(HOST) || target === 'fuzz/random.ts');
}

/** The packages for users repeat these: the list of Debian packages of the setup, the help of both programs. */
const PACKAGED: readonly string[] = [
  'setup/modules.mjs',
  'setup/packages.mjs',
  ...['cli/completion-scripts.ts', 'cli/program/whole-program.ts', 'config/help.ts'].map(
    (path) => HOST + path,
  ),
];

function isPackaged(path: string, target: string): boolean {
  return path.startsWith('tools/package/') && PACKAGED.includes(target);
}

function areaOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('packages/') ? 2 : 1)
    .join('/');
}

function targetsOf(source: Source): string[] {
  return importsOf(source).flatMap(({ target, thread }) => (thread ? [] : (target ?? [])));
}

/** Two folders of the packages that import each other, for types too, as `a and b`; a folder below another is its own. */
export function mutualFolders(sources: readonly Source[]): string[] {
  const ways = new Set(
    sources
      .filter(({ path }) => path.startsWith('packages/') && !isTest(path))
      .flatMap((source) => targetsOf(source).map((target) => `${folderOf(source.path)} ${folderOf(target)}`)),
  );
  return [...ways].flatMap((way) => {
    const [from, to] = way.split(' ') as [string, string];
    return from < to && ways.has(`${to} ${from}`) ? [`${from} and ${to}`] : [];
  });
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
