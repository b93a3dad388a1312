import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, silentLog } from '../../base/log.ts';
import type { GuestView } from '../../core/view.ts';
import type { WriteResult } from '../../guest/backend.ts';
import { DEFAULT_GUEST_LIMITS, type Limits } from '../../guest/guest-limits.ts';
import { GuestServer } from '../../guest/server.ts';
import { FakeBackend, sampleView } from '../../guest/testing/harness.ts';
import type { RegisteredRun } from '../../peer/registry.ts';
import { APART } from '../../peer/testing/apart.ts';
import { Lane } from '../lane.ts';

/** A backend whose views a lane follows, as in the daemon. */
class FollowedBackend extends FakeBackend {
  lane: Lane | undefined;

  setView(view: GuestView): void {
    this.views.set(view.instanceId, view);
    this.lane?.changed([view]);
  }

  override async setReady(instanceId: number, ready: boolean): Promise<WriteResult> {
    const result = await super.setReady(instanceId, ready);
    this.lane?.changed([this.views.get(instanceId)!]);
    return result;
  }
}

export interface LaneFixture extends AsyncDisposable {
  readonly backend: FollowedBackend;
  readonly lane: Lane;
  /** The main server, which serves `path` with the lane. */
  readonly server: GuestServer;
  readonly path: string;
  /** A server without a lane, on the same backend. */
  readonly stock: GuestServer;
  readonly stockPath: string;
  /** A run of instance 1 in which this process is root. */
  readonly facts: RegisteredRun;
}

/**
 * Starts a server with a lane, and a server alone. This process plays the instance: its PID namespace is
 * registered, unless `known` is false.
 */
export async function startLane(
  options: { readonly limits?: Partial<Limits>; readonly log?: Log; readonly known?: boolean } = {},
): Promise<LaneFixture> {
  const { log = silentLog, known = true } = options;
  const limits = { ...DEFAULT_GUEST_LIMITS, ...options.limits };
  const folder = await mkdtemp('/var/tmp/porthole-lane-');
  const backend = new FollowedBackend();
  const lane = new Lane(limits, log);
  backend.lane = lane;
  const facts = factsOfThisProcess();
  if (known) lane.began(facts, sampleView());
  const server = new GuestServer(backend, { log, limits, frontEnd: lane });
  const stock = new GuestServer(backend, { log, limits });
  const [path, stockPath] = [join(folder, 'sock'), join(folder, 'stock')];
  await server.listen(path);
  await stock.listen(stockPath);
  const dispose = async () => {
    await Promise.all([server.stop(0), stock.stop(0)]);
    await lane.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { backend, lane, server, path, stock, stockPath, facts, [Symbol.asyncDispose]: dispose };
}

/** A run of instance 1 in which this process is root. */
export function factsOfThisProcess(): RegisteredRun {
  const { dev, ino } = statSync('/proc/self/ns/pid', { bigint: true });
  const rootUid = process.getuid?.() ?? 0;
  const init = { pid: process.pid, isAlive: () => true };
  return { instanceId: 1, runNumber: 1, rootUid, namespace: `${dev}:${ino}`, init };
}

/** A process in a PID namespace of its own. */
export interface Apart extends AsyncDisposable {
  readonly namespace: string;
  /** Everything that its program has received so far. */
  readonly text: () => string;
  /** Settles when it has ended, with everything that it has received. */
  readonly answer: Promise<string>;
}

/**
 * Opens connections, sends the same on each, reports that, and prints all answers until the last one ends.
 */
const ASK = `
  const [path, count, text, end] = process.argv.slice(1);
  const net = require('node:net');
  let left = Number(count);
  for (let index = 0; index < count; index++) {
    const socket = net.connect(path, () => {
      socket.write(text, () => --left === 0 && process.stderr.write('sent'));
      if (end) socket.end();
    });
    socket.on('error', () => {});
    socket.pipe(process.stdout, { end: false });
  }
`;

/** Starts such a process, which sends a text on `count` connections; settles when it has sent it. */
export async function startApart(
  path: string,
  text: string,
  count = 1,
  end: 'end' | '' = 'end',
): Promise<Apart> {
  const program = [process.execPath, '-e', ASK, path, String(count), text, end];
  const args = [...APART, ...program];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let received = '';
  child.stdout.on('data', (data: Buffer) => {
    received += data.toString();
  });
  const answer = once(child.stdout, 'end').then(() => received);
  const sent = new Promise<void>((resolve) => {
    child.stderr.on('data', (data: Buffer) => void (data.includes('sent') && resolve()));
  });
  await Promise.race([sent, exited]);
  const init = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
  const { dev, ino } = statSync(`/proc/${init}/ns/pid`, { bigint: true });
  const dispose = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { namespace: `${dev}:${ino}`, text: () => received, answer, [Symbol.asyncDispose]: dispose };
}
