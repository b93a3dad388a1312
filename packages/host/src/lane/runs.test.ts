import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sampleView } from '../guest/testing/harness.ts';
import { close } from '../native/libc.ts';
import { peerCredentials } from '../native/peer-credentials.ts';
import { acceptNext, listenUnix } from '../native/sockets.ts';
import { Group } from './group.ts';
import { Runs } from './runs.ts';

// Thousands of rounds, or many processes, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let listening: number;
let runs: Runs;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-runs-');
  listening = listenUnix(join(folder, 'sock'), 16);
  runs = new Runs();
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  runs.forgetProcesses();
  close(listening);
  rmSync(folder, { recursive: true });
});

/** Connects once for each line that it reads, and says so. */
const CONNECT = `
  const net = require('node:net');
  process.stdin.on('data', () => net.connect(process.argv[1], () => console.log('connected')));
  console.log('up');
`;

/** A process that can connect, in a PID namespace of its own or in ours. */
async function start(where: 'apart' | 'here'): Promise<ChildProcess & { pid: number }> {
  const program = [process.execPath, '-e', CONNECT, join(folder, 'sock')] as const;
  const [command, ...args] =
    where === 'apart' ? (['unshare', '-f', '-p', '--kill-child', ...program] as const) : program;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child as ChildProcess & { pid: number };
}

/** One more connection of a process, accepted; to be closed. */
async function connectionOf(child: ChildProcess): Promise<number> {
  child.stdin?.write('go\n');
  await once(child.stdout!, 'data');
  const fd = acceptNext(listening);
  expect(fd).toBeGreaterThan(0);
  return fd;
}

async function identified(child: ChildProcess) {
  const fd = await connectionOf(child);
  const [found] = runs.identify([fd]);
  const group = found instanceof Group ? found : undefined;
  const { pid } = peerCredentials(fd);
  close(fd);
  return { group, pid };
}

const namespaceOf = (pid: number) => {
  const { dev, ino } = statSync(`/proc/${pid}/ns/pid`, { bigint: true });
  return `${dev}:${ino}`;
};

const initOf = (child: ChildProcess & { pid: number }) =>
  Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());

function addRun(instanceId: number, pid: number): void {
  runs.add({ instanceId, boot: instanceId, rootUid: 0, namespace: namespaceOf(pid) }, sampleView());
}

describe('a process that connects again', () => {
  it('is who it was', async () => {
    const child = await start('apart');
    addRun(7, initOf(child));
    for (let round = 0; round < 3; round++) {
      expect((await identified(child)).group?.caller).toEqual({ kind: 'instance', instanceId: 7, boot: 7 });
    }
    expect(runs.knownProcesses).toBe(1);
  });

  it('is of no run when that run is over, and of the new one when another has begun', async () => {
    const child = await start('apart');
    const init = initOf(child);
    addRun(7, init);
    await identified(child);
    runs.end(7);
    expect([(await identified(child)).group, runs.knownProcesses]).toEqual([undefined, 0]);
    addRun(8, init);
    expect((await identified(child)).group?.instanceId).toBe(8);
  });

  it('is another when its pid is: the pid of one that has ended says nothing of who has it now', async () => {
    const child = await start('apart');
    const init = initOf(child);
    addRun(7, init);
    expect(await identified(child)).toMatchObject({
      pid: init,
      group: { instanceId: 7 },
    });
    const ended = once(child, 'exit');
    process.kill(init, 'SIGKILL');
    await ended;
    // Others start processes at the same time, so the number may be missed; not for ever.
    for (let attempt = 0; attempt < 200; attempt++) {
      writeFileSync('/proc/sys/kernel/ns_last_pid', String(init - 1));
      const other = await start('here');
      if (other.pid === init) {
        expect(await identified(other)).toEqual({ pid: init, group: undefined });
        return;
      }
      other.kill('SIGKILL');
    }
    throw new Error(`no process could be given the pid ${init}`);
  });
});

it('holds a few processes of a run and no more, however many connect', async () => {
  const children = await Promise.all(Array.from({ length: 6 }, () => start('here')));
  addRun(7, process.pid);
  for (const child of children) {
    expect((await identified(child)).group?.instanceId).toBe(7);
  }
  expect(runs.knownProcesses).toBe(4);
});

it('keeps those that come often, and has room for a new one that does when the others came once', async () => {
  runs = new Runs(2);
  const [one, two, three] = [await start('here'), await start('here'), await start('here')];
  addRun(7, process.pid);
  for (const child of [one, two, one, three, three]) {
    expect((await identified(child)).group?.instanceId).toBe(7);
  }
  expect(runs.knows(one.pid)).toBe(true);
  await identified(three);
  expect([one, two, three].map(({ pid }) => runs.knows(pid))).toEqual([true, false, true]);
});
