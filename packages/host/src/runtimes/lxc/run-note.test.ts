import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PinnedProcess } from '../../native/pinned-process.ts';
import { noteRun, type Recalled, recallRun } from './run-note.ts';

/** As LXC names them. */
const CGROUPS = ['/sys/fs/cgroup/pids/lxc.payload.1', '/sys/fs/cgroup/pids/lxc.monitor.1'];

let folder: string;
let child: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-note-');
  child = spawn('sleep', ['1000']);
  await once(child, 'spawn');
});
afterEach(async () => {
  await end();
  rmSync(folder, { recursive: true });
});

const path = () => join(folder, 'run');

async function end(): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Notes the child as init, and its parent, this process, as LXC's monitor. */
function note(change: (text: string) => string = (text) => text): void {
  const [init, monitor] = [child.pid, process.pid].map((pid) => PinnedProcess.find(pid ?? 0));
  if (!init || !monitor) throw new Error('no process');
  noteRun(path(), { init, monitor }, CGROUPS);
  for (const each of [init, monitor]) each.release();
  writeFileSync(path(), change(readFileSync(path(), 'utf8')));
}

/** The kind of the run that is recalled, and the pid of its init. */
function recalled(): [Recalled['kind'], number?] {
  const found = recallRun(path());
  if ('monitor' in found) found.monitor.release();
  if (found.kind !== 'running') return [found.kind];
  found.init.release();
  return [found.kind, found.init.pid];
}

describe('a note of a run', () => {
  it('gives the run while it goes on', () => {
    note();
    expect(recalled()).toEqual(['running', child.pid]);
    expect(existsSync(`${path()}.new`)).toBe(false);
  });

  it('says that LXC is still taking the run down when only the monitor is left', async () => {
    note();
    await end();
    expect(recalled()).toEqual(['ending']);
  });

  it('names the cgroups of a run that has ended, and none of one of another boot or of an earlier version', () => {
    const cgroups = () => {
      const found = recallRun(path());
      return found.kind === 'ended' ? found.cgroups : found.kind;
    };
    // Processes with other start times: those of the note have ended.
    note((text) => text.replace(/("startTime":")/g, '$19'));
    expect(cgroups()).toEqual(CGROUPS);
    const text = readFileSync(path(), 'utf8');
    writeFileSync(path(), text.replace(/,"cgroups":\[.*?\]/, ''));
    expect(cgroups()).toEqual([]);
    writeFileSync(path(), text.replace(/"bootId":"./, '"bootId":"x'));
    expect(cgroups()).toEqual([]);
  });

  it.each(['/etc', '/sys/fs/cgroup/../../../etc', 5])('says nothing if %j is among its cgroups', (wrong) => {
    note((text) => text.replace(/"cgroups":\[/, `"cgroups":[${JSON.stringify(wrong)},`));
    expect(recalled()).toEqual(['unknown']);
  });

  it('does not mistake a process for an earlier one with its pid, or for one of another boot of the host', () => {
    const one = /("pid":\d+,"startTime":")(\d+)/;
    note((text) => text.replace(new RegExp(one, 'g'), '$11$2'));
    expect(recalled()).toEqual(['ended']);
    note((text) => text.replace(/"bootId":"./, '"bootId":"x'));
    expect(recalled()).toEqual(['ended']);
  });

  it('leaves the answer to LXC when the init has another parent than was noted', async () => {
    note((text) => text.replace(/"monitor":\{.*?\}/, '"monitor":{"pid":1,"startTime":"1"}'));
    expect(recalled()).toEqual(['unknown']);
  });

  it.each(['', '{', 'null', '[]', '{"bootId":"x"}', '{"init":{"pid":-1,"startTime":"1"},"monitor":{}}'])(
    'says nothing when it is damaged: %j',
    (text) => {
      writeFileSync(path(), text);
      expect(recalled()).toEqual(['unknown']);
    },
  );

  it('says nothing when it does not exist', () => {
    expect(recalled()).toEqual(['unknown']);
  });
});
