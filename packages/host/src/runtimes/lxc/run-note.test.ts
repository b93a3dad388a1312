import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PinnedProcess } from '../../native/pinned-process.ts';
import { noteRun, type Recalled, recallRun } from './run-note.ts';

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

/** Notes the child as init; its parent, this process, is in the place of LXC's monitor. */
function note(change: (text: string) => string = (text) => text): void {
  const [init, monitor] = [child.pid, process.pid].map((pid) => PinnedProcess.find(pid ?? 0));
  if (!init || !monitor) throw new Error('no process');
  noteRun(path(), { init, monitor });
  for (const each of [init, monitor]) each.release();
  writeFileSync(path(), change(readFileSync(path(), 'utf8')));
}

/** What kind of run is recalled, and the pid of its init. */
function recalled(): [Recalled['kind'], number?] {
  const found = recallRun(path());
  if ('monitor' in found) found.monitor.release();
  if (found.kind !== 'running') return [found.kind];
  found.init.release();
  return [found.kind, found.init.pid];
}

describe('a note of a run', () => {
  it('gives the run back while it goes on', () => {
    note();
    expect(recalled()).toEqual(['running', child.pid]);
    expect(existsSync(`${path()}.new`)).toBe(false);
  });

  it('knows that LXC still takes the run down when only its monitor is left', async () => {
    note();
    await end();
    expect(recalled()).toEqual(['ending']);
  });

  it('takes no process for another that had its pid, nor one of another boot of the host', () => {
    const one = /("pid":\d+,"startTime":")(\d+)/;
    note((text) => text.replace(new RegExp(one, 'g'), '$11$2'));
    expect(recalled()).toEqual(['ended']);
    note((text) => text.replace(/"bootId":"./, '"bootId":"x'));
    expect(recalled()).toEqual(['ended']);
  });

  it('leaves it to LXC when the init has another parent than was noted', async () => {
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

  it('says nothing when there is none', () => {
    expect(recalled()).toEqual(['unknown']);
  });
});
