import type { Ending, RunSpec } from '../../runtimes/contract/runtime.ts';
import { FakeRun } from './fake-run.ts';
import { FakeTree } from './fake-tree.ts';
import { Faults } from './faults.ts';

/** A process that some other runtime has started. */
export interface ForeignProcess {
  readonly startTime: string;
  readonly end: () => void;
  readonly ended: Promise<void>;
  isAlive: boolean;
}

/** What is on the host, and outlives daemons: instances that run, their folders, and notes of how they ended. */
export class FakeMachine {
  readonly faults = new Faults();
  /** By instance. */
  readonly runs = new Map<number, FakeRun>();
  readonly folders = new Set<number>();
  /** Unpacked roots. */
  readonly roots = new Set<string>();
  readonly endings = new Map<number, Ending>();
  readonly foreign = new Map<number, ForeignProcess>();
  readonly #trees = new Map<number, FakeTree>();
  /** Whether runs are noted, so that the next daemon knows them without asking. */
  notes = true;
  /** How runs behave that begin from now on when they are asked to shut down. */
  obey = true;
  #pid = 4241;

  begin(spec: RunSpec): FakeRun {
    const run = new FakeRun(++this.#pid, spec);
    run.obeys = this.obey;
    this.runs.set(spec.id, run);
    this.endings.delete(spec.id);
    run.onEnd((ending) => {
      this.endings.set(spec.id, ending);
      if (this.runs.get(spec.id) === run) this.runs.delete(spec.id);
    });
    return run;
  }

  /** Names of interfaces of all instances. */
  get interfaces(): string[] {
    return [...this.runs.values()].flatMap((run) => Object.values(run.hostNames));
  }

  treeOf(id: number): FakeTree {
    const tree = this.#trees.get(id) ?? new FakeTree();
    this.#trees.set(id, tree);
    return tree;
  }

  /** Some other runtime starts a process. @returns its pid */
  startForeign(): number {
    const pid = ++this.#pid;
    const ended = Promise.withResolvers<void>();
    const foreign: ForeignProcess = {
      startTime: String(pid * 100),
      ended: ended.promise,
      isAlive: true,
      end: () => {
        foreign.isAlive = false;
        ended.resolve();
      },
    };
    this.foreign.set(pid, foreign);
    return pid;
  }

  /** The host goes down: nobody notes how runs end. */
  reboot(): void {
    for (const run of this.runs.values()) run.end('stop');
    this.endings.clear();
    for (const process of this.foreign.values()) process.end();
    this.foreign.clear();
  }
}
