import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { checkRows } from './check-rows.ts';
import { checkFolders } from './folders.ts';
import { checkGuest } from './guests.ts';
import { cgroupsFrom, childOf, mountsOf, namesIn, processesOf } from './host.ts';
import { checkJournal, type Ledger } from './journal.ts';
import { type InstanceRow, isAdopted, powerOf, type Rows, readRows } from './rows.ts';

/** A daemon that is checked from outside. */
export interface Checked {
  readonly stateDir: string;
  /** The highest id that no instance of this daemon has. */
  readonly firstId: number;
  readonly daemonPid: number;
  /** Interfaces of the host whose names begin with this are this daemon's. */
  readonly interfaces: string;
  /** Statuses that operators see, by name. */
  readonly statuses: Readonly<Record<string, string>>;
  readonly ledger: Ledger;
}

/** Ids above the first one that are this daemon's. */
const IDS = 100_000;

/** What the store of a daemon holds, from a copy of its files. */
export function readStore(stateDir: string): Rows {
  const copy = mkdtempSync('/var/tmp/porthole-faults-copy-');
  try {
    for (const name of ['porthole.db', 'porthole.db-wal'])
      if (existsSync(join(stateDir, name))) cpSync(join(stateDir, name), join(copy, name));
    const database = new DatabaseSync(join(copy, 'porthole.db'));
    try {
      return readRows(database);
    } finally {
      database.close();
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Compares store, journal, folders, mounts, cgroups, processes, interfaces and what guests see, in sentences. */
export function checkAll(checked: Checked): string[] {
  const { stateDir, firstId, ledger } = checked;
  const rows = readStore(stateDir);
  const running = rows.instances.filter((each) => powerOf(each) === 'RUNNING' && !isAdopted(each));
  const ids = running.map(({ id }) => id);
  const cgroups = cgroupsFrom(firstId, firstId + IDS);
  return [
    ...checkRows(rows),
    ...checkJournal(rows, ledger),
    ...checkFolders(rows, stateDir),
    ...mountsOf(stateDir).map((point) => `${point} is mounted on the host`),
    ...cgroups.filter((id) => !ids.includes(id)).map((id) => `there are cgroups of instance ${id}`),
    ...ids.filter((id) => !cgroups.includes(id)).map((id) => `instance ${id} has no cgroups`),
    ...checkInterfaces(checked, running),
    ...checkStatuses(rows, checked),
    ...checkProcesses(rows, checked, running),
  ];
}

function checkStatuses({ instances }: Rows, { statuses }: Checked): string[] {
  const text = (name: string, runs: boolean) => `${name} ${runs ? 'runs' : 'is stopped'}`;
  const stored = instances.map((each) => text(each.name, powerOf(each) === 'RUNNING')).sort();
  const shown = Object.entries(statuses)
    .map(([name, status]) => text(name, ['Running', 'Ready', 'Frozen'].includes(status)))
    .sort();
  return stored.join() === shown.join() ? [] : [`operators see: ${shown}; the store has: ${stored}`];
}

function checkInterfaces({ interfaces }: Checked, running: readonly InstanceRow[]): string[] {
  const wanted = running.flatMap(({ config }) =>
    Object.entries(config).flatMap(([key, value]) => (key.endsWith('.host_name') ? [value] : [])),
  );
  const there = namesIn('/sys/class/net');
  return [
    ...wanted.filter((name) => !there.includes(name)).map((name) => `interface ${name} is not there`),
    ...there
      .filter((name) => name.startsWith(interfaces) && !wanted.includes(name))
      .map((name) => `interface ${name} is in no record`),
  ];
}

/** There is one monitor with one init for each running instance, and the daemon, and no other process. */
function checkProcesses(
  rows: Rows,
  { stateDir, daemonPid }: Checked,
  running: readonly InstanceRow[],
): string[] {
  const all = processesOf(stateDir);
  const monitors = new Map<number, number[]>();
  const others = all.filter(({ pid, words }) => {
    const id = /^\[lxc monitor\] \S+ (\d+)/.exec(words)?.[1];
    if (id !== undefined) monitors.set(Number(id), [...(monitors.get(Number(id)) ?? []), pid]);
    return id === undefined && pid !== daemonPid;
  });
  const ids = running.map(({ id }) => id);
  return [
    ...others.map(({ pid, state, words }) => `process ${pid} (${state}) is left: ${words.slice(0, 120)}`),
    ...[...monitors.keys()]
      .filter((id) => !ids.includes(id))
      .map((id) => `instance ${id} runs, in no record`),
    ...running.flatMap((instance) => {
      const [monitor, ...more] = monitors.get(instance.id) ?? [];
      if (monitor === undefined) return [`${instance.name} has no monitor`];
      if (more.length > 0) return [`${instance.name} has ${more.length + 1} monitors`];
      const init = childOf(monitor);
      return init === null ? [`${instance.name} has no init`] : checkGuest(rows, instance, init);
    }),
  ];
}
