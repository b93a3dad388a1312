import { expandedOf, type InstanceRow, isAdopted, powerOf, type Rows, type Texts } from './rows.ts';

/** A run on the machine. The daemon may not know of it. */
interface SeenRun {
  readonly isAlive: boolean;
  /** What it was started with. */
  readonly spec: { readonly devices: Readonly<Record<string, Texts>> };
  readonly frozen: boolean;
  readonly guestApiMounts: number;
  readonly devices: ReadonlyMap<string, Texts>;
  /** Mount points. */
  readonly places: ReadonlySet<string>;
  /** Interfaces on the host, by device. */
  readonly interfaces: ReadonlyMap<string, string>;
  readonly limits: ReadonlyMap<string, string | undefined>;
}

/** A machine in memory: what is there in the place of folders, mounts and processes. */
export interface SeenMachine {
  readonly runs: ReadonlyMap<number, SeenRun>;
  readonly folders: ReadonlySet<number>;
  /** `FINGERPRINT-UID`, or `empty-UID`. */
  readonly roots: ReadonlySet<string>;
  readonly images: ReadonlySet<string>;
  readonly staged: ReadonlySet<string>;
  /** Processes of other runtimes, by pid. */
  readonly foreign: ReadonlyMap<number, { readonly isAlive: boolean; readonly startTime: string }>;
}

/** What a daemon shows: to instances, and to operators. */
export interface SeenDaemon {
  /** The instances whose callers it knows. */
  readonly known: readonly number[];
  /** By name. */
  readonly statuses: Texts;
  /** What an instance sees of itself; null: nothing. */
  view(id: number): { readonly name: string; readonly config: ReadonlyMap<string, string> } | null;
}

/** What does not agree between a store and a machine in memory, in sentences. */
export function checkMachine(rows: Rows, machine: SeenMachine): string[] {
  const own = rows.instances.filter((instance) => !isAdopted(instance));
  return [
    ...differ('folder', idsOf(own), [...machine.folders]),
    ...differ('run', idsOf(own.filter((each) => powerOf(each) === 'RUNNING')), [...machine.runs.keys()]),
    ...differ('image', rows.images, [...machine.images]),
    ...[...machine.staged].map((name) => `a received image is left: ${name}`),
    ...strayRoots(rows, machine),
    ...own.flatMap((instance) => checkRun(rows, instance, machine.runs.get(instance.id))),
    ...rows.instances.filter(isAdopted).flatMap((instance) => checkAdopted(instance, machine)),
  ];
}

function idsOf(instances: readonly InstanceRow[]): number[] {
  return instances.map(({ id }) => id);
}

function differ(what: string, stored: readonly unknown[], there: readonly unknown[]): string[] {
  return [
    ...stored.filter((each) => !there.includes(each)).map((each) => `${what} ${each} is not there`),
    ...there.filter((each) => !stored.includes(each)).map((each) => `${what} ${each} is in no record`),
  ];
}

function strayRoots({ images, instances }: Rows, { roots }: SeenMachine): string[] {
  const needed = ['empty', ...images, ...instances.map(({ config }) => config['volatile.base_image'] ?? '')];
  const isNeeded = (root: string) => needed.includes(root.slice(0, root.lastIndexOf('-')));
  return [...roots].filter((root) => !isNeeded(root)).map((root) => `root ${root} is needed by nothing`);
}

/** The options that a run shows as they were given. */
const SHOWN = ['type', 'nictype', 'source', 'path', 'limits.max'];
const LIMITS = ['limits.cpu', 'limits.processes', 'limits.memory'];

function checkRun(rows: Rows, instance: InstanceRow, run: SeenRun | undefined): string[] {
  if (!run?.isAlive) return [];
  const { config, devices } = expandedOf(rows, instance);
  const entries = Object.entries(devices);
  const text = (device: Texts) => SHOWN.map((option) => `${option}=${device[option] ?? ''}`).join(' ');
  const nics = entries.filter(([, device]) => device['type'] === 'nic').map(([name]) => name);
  const places = placesOf(devices);
  // The mount points of a start are folders of the instance from then on.
  const mayBe = [...places, ...placesOf(run.spec.devices)];
  const mounts = config['security.devlxd'] === 'false' ? 0 : 1;
  const hostName = (nic: string) => instance.config[`volatile.${nic}.host_name`];
  return [
    ...differ('device', entries.map(named), [...run.devices].map(named)),
    ...places.filter((path) => !run.places.has(path)).map((path) => `mount point ${path} is not there`),
    ...[...run.places]
      .filter((path) => !mayBe.includes(path))
      .map((path) => `mount point ${path} is of no device`),
    ...differ('interface', nics, [...run.interfaces.keys()]),
    ...nics
      .filter((nic) => hostName(nic) !== run.interfaces.get(nic))
      .map((nic) => `interface ${run.interfaces.get(nic)} is stored as ${hostName(nic)}`),
    ...(run.guestApiMounts === mounts ? [] : [`${run.guestApiMounts} guest API mounts, not ${mounts}`]),
    ...LIMITS.filter((key) => run.limits.get(key) !== config[key]).map(
      (key) => `${key} is ${run.limits.get(key)}, not ${config[key]}`,
    ),
  ].map((sentence) => `${instance.name}: ${sentence}`);

  function named([name, device]: readonly [string, Texts]): string {
    return `${name} (${text(device)})`;
  }
}

function placesOf(devices: Readonly<Record<string, Texts>>): string[] {
  return Object.values(devices).flatMap(({ type, path = '' }) => (type === 'nic' ? [] : [path]));
}

function checkAdopted(instance: InstanceRow, { foreign }: SeenMachine): string[] {
  const [pid = '', startTime] = (instance.config['volatile.adopted'] ?? '').split(':');
  const found = foreign.get(Number(pid));
  const lives = found?.isAlive === true && found.startTime === startTime;
  const power = powerOf(instance);
  if (lives === (power === 'RUNNING')) return [];
  return [`${instance.name} is stored as ${power}, and its process ${lives ? 'lives' : 'has ended'}`];
}

/** What a daemon shows that its store does not say, in sentences. */
export function checkShown(rows: Rows, daemon: SeenDaemon): string[] {
  const running = rows.instances.filter((instance) => powerOf(instance) === 'RUNNING');
  return [
    ...differ('caller of instance', idsOf(running), daemon.known),
    ...differ(
      'status',
      rows.instances.map(({ name }) => name),
      Object.keys(daemon.statuses),
    ),
    ...rows.instances.flatMap((instance) => checkStatus(instance, daemon.statuses[instance.name] ?? '')),
    ...checkViews(rows, daemon),
  ];
}

/** What instances see that the store does not say. This holds at any time: what is not stored is not shown. */
export function checkViews(rows: Rows, daemon: SeenDaemon): string[] {
  return rows.instances.flatMap((instance) => checkView(rows, instance, daemon.view(instance.id)));
}

function checkStatus(instance: InstanceRow, status: string): string[] {
  const runs = ['Running', 'Ready', 'Frozen'].includes(status);
  if (runs === (powerOf(instance) === 'RUNNING')) return [];
  return [`${instance.name} is shown as ${status}, and stored as ${powerOf(instance)}`];
}

/** Keys that an instance may read as they are stored. */
const READABLE = /^user\.(?!meta-data|user-data|vendor-data|network-config)/;

function checkView(rows: Rows, instance: InstanceRow, view: ReturnType<SeenDaemon['view']>): string[] {
  if (!view) return [`${instance.name} sees nothing of itself`];
  const { config } = expandedOf(rows, instance);
  const text = ([key, value]: readonly [string, string]) => `${key}=${value}`;
  const of = (entries: Iterable<[string, string]>) =>
    [...entries].filter(([key]) => READABLE.test(key)).map(text);
  return [
    ...(view.name === instance.name ? [] : [`it is called ${view.name} inside`]),
    ...differ('key', of(Object.entries(config)), of(view.config)),
  ].map((sentence) => `${instance.name}: ${sentence}`);
}
