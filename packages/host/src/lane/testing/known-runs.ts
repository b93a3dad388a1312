import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sampleView } from '../../guest/testing/harness.ts';
import { close } from '../../native/libc.ts';
import { peerCredentials } from '../../native/peer-credentials.ts';
import { acceptNext, listenUnix } from '../../native/sockets.ts';
import { APART } from '../../peer/testing/apart.ts';
import { CallerGroup } from '../caller-group.ts';
import { LaneRuns } from '../lane-runs.ts';

/** Connects once for each line that it reads, and prints a line when it has. */
const CONNECT = `
  const net = require('node:net');
  process.stdin.on('data', () => net.connect(process.argv[1], () => console.log('connected')));
  console.log('up');
`;

type Program = ChildProcess & { pid: number };

/** LaneRuns, and processes that connect to a socket on command. */
export class KnownRuns {
  runs = new LaneRuns();
  readonly #folder = mkdtempSync('/var/tmp/porthole-runs-');
  readonly #path = join(this.#folder, 'sock');
  readonly #listening = listenUnix(this.#path, 16);
  readonly #children: ChildProcess[] = [];

  /** Starts a process that can connect, in a new PID namespace or in the current one. */
  async start(where: 'apart' | 'here'): Promise<Program> {
    const program = [process.execPath, '-e', CONNECT, this.#path] as const;
    const [command, ...args] = where === 'apart' ? (['unshare', ...APART, ...program] as const) : program;
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    await once(child.stdout, 'data');
    return child as unknown as Program;
  }

  /** The pid of the process that runs in a new PID namespace. */
  initOf(child: Program): number {
    return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  }

  /** Adds a run of an instance in the PID namespace of a process. */
  addRun(instanceId: number, pid: number): void {
    const { dev, ino } = statSync(`/proc/${pid}/ns/pid`, { bigint: true });
    const rootUid = process.getuid?.() ?? 0;
    this.runs.add({ instanceId, runNumber: instanceId, rootUid, namespace: `${dev}:${ino}` }, sampleView());
  }

  /** Makes a process connect once more, and identifies it. */
  async identified(child: ChildProcess): Promise<{ group: CallerGroup | undefined; pid: number }> {
    child.stdin?.write('go\n');
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const fd = acceptNext(this.#listening);
    const [found] = this.runs.identify([fd]);
    const { pid } = peerCredentials(fd);
    close(fd);
    return { group: found instanceof CallerGroup ? found : undefined, pid };
  }

  end(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    this.runs.forgetProcesses();
    close(this.#listening);
    rmSync(this.#folder, { recursive: true });
  }
}
