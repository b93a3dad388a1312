import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { PinnedProcess } from '../../native/pinned-process.ts';
import { bootId, startTimeOf } from '../../native/start-time.ts';
import { CGROUP_ROOT } from '../kernel/cgroup-files.ts';
import type { RunProcesses } from './init.ts';
import { monitorPid } from './processes.ts';

/** A process, named so that no later one can be mistaken for it. */
interface Named {
  readonly pid: number;
  readonly startTime: string;
}

interface RunNote {
  readonly bootId: string;
  readonly init: Named;
  readonly monitor: Named;
  /** Folders of the cgroups of both. Notes of earlier versions lack them. */
  readonly cgroups?: readonly string[];
}

/** A run as its note describes it. */
export type Recalled =
  | ({ readonly kind: 'running' } & RunProcesses)
  /** Its init has ended, and LXC is still taking the container down. */
  | { readonly kind: 'ending'; readonly monitor: PinnedProcess }
  /** `cgroups`: those it had, in this boot of the host; LXC has removed them unless its monitor was killed. */
  | { readonly kind: 'ended'; readonly cgroups: readonly string[] }
  /** There is no note, such as after an earlier version, or it does not say enough. */
  | { readonly kind: 'unknown' };

/**
 * Notes which processes a run depends on, so that the next daemon knows them without asking LXC, and their cgroups,
 * which nobody can find when the processes have ended. The note need not survive a crash of the host, which ends the
 * run.
 */
export function noteRun(path: string, { init, monitor }: RunProcesses, cgroups: readonly string[]): void {
  const named = ({ pid }: PinnedProcess) => ({ pid, startTime: startTimeOf(pid) });
  const note = { bootId: bootId(), init: named(init), monitor: named(monitor), cgroups };
  writeFileSync(`${path}.new`, JSON.stringify(note), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Takes hold of the run that was noted, if it still goes on. */
export function recallRun(path: string): Recalled {
  const note = readNote(path);
  if (!note) return { kind: 'unknown' };
  if (note.bootId !== bootId()) return { kind: 'ended', cgroups: [] };
  const monitor = PinnedProcess.named(note.monitor.pid, note.monitor.startTime);
  const init = PinnedProcess.named(note.init.pid, note.init.startTime);
  if (init && monitor && monitorPid(init.pid) === monitor.pid) return { kind: 'running', init, monitor };
  if (init) {
    // Without the monitor only LXC can tell whether the run goes on.
    init.release();
    monitor?.release();
    return { kind: 'unknown' };
  }
  return monitor ? { kind: 'ending', monitor } : { kind: 'ended', cgroups: note.cgroups ?? [] };
}

function readNote(path: string): RunNote | null {
  try {
    const { bootId: boot, init, monitor, cgroups = [] } = JSON.parse(readFileSync(path, 'utf8')) as RunNote;
    if (!isNamed(init) || !isNamed(monitor) || !cgroups.every(isCgroup)) return null;
    return { bootId: boot, init, monitor, cgroups };
  } catch {
    return null;
  }
}

function isNamed({ pid, startTime }: Named): boolean {
  return Number.isInteger(pid) && pid > 0 && typeof startTime === 'string';
}

/** Folders of a note are removed, so nothing else may be in it. */
function isCgroup(folder: string): boolean {
  return folder.startsWith(`${CGROUP_ROOT}/`) && !folder.split('/').includes('..');
}
