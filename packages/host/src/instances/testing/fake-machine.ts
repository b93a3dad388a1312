import type { ImageTemplate } from '../../core/entities.ts';
import type { Ending, RunSpec } from '../../runtimes/contract/runtime.ts';
import { FakeRun } from './fake-run.ts';
import { FakeTree } from './fake-tree.ts';
import { Faults } from './faults.ts';

/** A process that another runtime has started. */
export interface ForeignProcess {
  readonly startTime: string;
  /** The uid of the user who has made its user namespace. */
  readonly owner: number;
  readonly end: () => void;
  readonly ended: Promise<void>;
  isAlive: boolean;
  hasGuestApi: boolean;
  /** Something else is mounted in the place of the guest API. */
  refusesMounts: boolean;
}

/** A host in memory that outlives daemons: runs, folders of instances, and notes of how runs ended. */
export class FakeMachine {
  readonly faults = new Faults();
  /** By instance id. */
  readonly runs = new Map<number, FakeRun>();
  readonly folders = new Set<number>();
  /** Sizes to which roots have grown while their instances ran, by instance id. */
  readonly rootSizes = new Map<number, number>();
  /** Fingerprints of published images. */
  readonly images = new Set<string>();
  /** Fingerprints of images that have been received but not published. */
  readonly staged = new Set<string>();
  /** Names of unpacked roots. */
  readonly roots = new Set<string>();
  /** The templates of images that are kept for instances, by fingerprint. */
  readonly templates = new Map<string, readonly ImageTemplate[]>();
  readonly endings = new Map<number, Ending>();
  readonly foreign = new Map<number, ForeignProcess>();
  readonly #trees = new Map<number, FakeTree>();
  /** Whether there are notes of runs, so that the next daemon recognises them without asking LXC. */
  notes = true;
  /** Whether runs that begin from now on shut down when asked. */
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

  /** The names on the host of the interfaces of all instances. */
  get interfaces(): string[] {
    return [...this.runs.values()].flatMap((run) => Object.values(run.hostNames));
  }

  treeOf(id: number): FakeTree {
    const tree = this.#trees.get(id) ?? new FakeTree();
    this.#trees.set(id, tree);
    return tree;
  }

  /** Starts a process as another runtime would. @param owner uid of its user @returns its pid */
  startForeign(owner = 0): number {
    const pid = ++this.#pid;
    const ended = Promise.withResolvers<void>();
    const foreign: ForeignProcess = {
      startTime: String(pid * 100),
      owner,
      ended: ended.promise,
      isAlive: true,
      hasGuestApi: false,
      refusesMounts: false,
      end: () => {
        foreign.isAlive = false;
        ended.resolve();
      },
    };
    this.foreign.set(pid, foreign);
    return pid;
  }

  /** Reboots the host: all runs end, without notes of how they ended. */
  reboot(): void {
    for (const run of this.runs.values()) run.end('stop');
    this.endings.clear();
    for (const process of this.foreign.values()) process.end();
    this.foreign.clear();
  }
}
