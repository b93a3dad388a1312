import { Worker } from 'node:worker_threads';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Caller } from '../core/caller.ts';
import type { NewProcesses } from '../core/new-processes.ts';
import type { GuestView } from '../core/view.ts';
import type { ViewFollower } from '../core/view-follower.ts';
import { acceptedOf } from '../guest/caller-key.ts';
import type { GuestFrontEnd } from '../guest/server.ts';
import type { Accepted } from '../http/application.ts';
import type { Limits } from '../http/connection-limits.ts';
import type { FrontEndCalls, FrontEndStop } from '../http/front-end.ts';
import { openWake, wake } from '../native/eventfd.ts';
import { close } from '../native/libc.ts';
import { openFilesMax } from '../native/rlimit.ts';
import type { RegisteredRun } from '../peer/registry.ts';
import { handedOver, shareOf } from './handed-report.ts';
import { ACCEPT_LOG_MS, FREED_RUNS_MAX, OBEY_MS_MAX } from './lane-limits.ts';
import {
  CLOSED,
  DONE,
  type HandedReport,
  type LaneStart,
  OPEN,
  type Order,
  ownedBytes,
  type Report,
  SHARED_SLOTS,
} from './messages.ts';

/** A connection takes less than this from one thread to the other. */
const HANDED_OVER_MS_MAX = 60_000;
/** A lane that has ended applies no orders any more: this is looked for so often. */
const WAIT_MS = 100;

/**
 * The fast lane as the main thread sees it. It sends orders to the lane's thread, and waits until they are
 * applied where an operator's answer depends on that. The lane never waits for the main thread.
 */
export class Lane implements GuestFrontEnd, ViewFollower {
  readonly #log: Log;
  readonly #onNewProcesses: ((found: NewProcesses) => void) | undefined;
  readonly #shared = new Int32Array(new SharedArrayBuffer(4 * SHARED_SLOTS));
  readonly #owned = ownedBytes();
  readonly #wake = openWake();
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  /** Instances whose runs the lane knows. */
  readonly #runs = new Set<number>();
  /** Whether views of a large change were sent. */
  #isPrepared = false;
  /** Instances whose runs have begun since. */
  readonly #late = new Set<number>();
  #calls: FrontEndCalls<Caller> | undefined;
  #ordered = 0;
  #starting = false;
  /** The newest order that ended the connections of each instance. */
  readonly #closed = new Map<number, { readonly order: number; readonly reason: string }>();
  #acceptLoggedMs = Number.NEGATIVE_INFINITY;
  #state: 'works' | 'stopping' | 'ended' | 'failed' = 'works';

  /** @param onNewProcesses called while very many new processes connect; without it, the lane does not look for them */
  constructor(limits: Limits, log: Log, onNewProcesses?: (found: NewProcesses) => void) {
    this.#log = log;
    this.#onNewProcesses = onNewProcesses;
    const start: LaneStart = {
      ...{ shared: this.#shared, owned: this.#owned, wake: this.#wake, limits },
      ...{ openFilesMax: openFilesMax(), findsStorms: onNewProcesses !== undefined },
    };
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: start,
      trackUnmanagedFds: false,
    });
    this.#worker.unref();
    this.#worker.on('message', (report: Report) => this.#hear(report));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve())).then(() =>
      this.#exited(),
    );
  }

  get works(): boolean {
    return this.#state === 'works';
  }

  get failed(): boolean {
    return this.#state === 'failed';
  }

  /**
   * A run has begun. The lane knows it before any client learns that it has begun. While instances are being
   * started there is no need to wait: the lane holds callers that it does not know yet.
   */
  began({ init: _, ...facts }: RegisteredRun, view: GuestView | undefined): void {
    this.#runs.add(facts.instanceId);
    if (this.#isPrepared) this.#late.add(facts.instanceId);
    const order: Order = { kind: 'run', facts, view };
    if (this.#starting) this.#send(order);
    else this.#tellAndWait(order);
  }

  /** Whether instances are being started: when this returns, callers that may belong to one are held. */
  starting(on: boolean): void {
    this.#starting = on;
    if (on) this.#tellAndWait({ kind: 'starting', on });
    else this.#send({ kind: 'starting', on });
  }

  /** Whether another program starts instances: when this returns, callers that may belong to one wait a moment. */
  patient(on: boolean): void {
    if (on) this.#tellAndWait({ kind: 'patient', on });
    else this.#send({ kind: 'patient', on });
  }

  /** A run is over: when this returns, no caller is taken for its instance. */
  over(instanceId: number): void {
    if (this.#runs.delete(instanceId)) this.#tellAndWait({ kind: 'over', instanceId });
  }

  /** Views have changed: when this returns, every later answer is made from the new views. */
  changed(views: readonly GuestView[]): void {
    const known = this.#ofRuns(views);
    if (known.length > 0) this.#tellAndWait({ kind: 'views', views: known });
  }

  /** Takes views of a large change, which no answer is made from yet; later ones of an instance replace earlier. */
  prepare(views: readonly GuestView[]): void {
    this.#isPrepared = true;
    const known = this.#ofRuns(views);
    if (known.length > 0) this.#send({ kind: 'prepare', views: known });
  }

  /** Resolves when every order so far is applied, or the lane has ended. */
  async caughtUp(): Promise<void> {
    const ordered = this.#ordered;
    const untilMs = performance.now() + OBEY_MS_MAX;
    while (this.#state === 'works' && this.#calls !== undefined && performance.now() < untilMs) {
      const done = Atomics.load(this.#shared, DONE);
      if (((done - ordered) | 0) >= 0) return;
      await Atomics.waitAsync(this.#shared, DONE, done, WAIT_MS).value;
    }
  }

  /**
   * The prepared views count from now on, all at once.
   * @param views those that have changed since, or were not prepared
   * @param viewOf gives any view of the change: runs may have begun after theirs was prepared
   */
  swap(views: readonly GuestView[], viewOf: (instanceId: number) => GuestView | undefined): void {
    const last = [...views, ...[...this.#late].flatMap((id) => viewOf(id) ?? [])];
    this.#endPreparation();
    this.#tellAndWait({ kind: 'swap', views: this.#ofRuns(last) });
  }

  /** Forgets the prepared views. */
  forget(): void {
    this.#endPreparation();
    this.#send({ kind: 'forget' });
  }

  #endPreparation(): void {
    this.#isPrepared = false;
    this.#late.clear();
  }

  /** The views of instances that run, as far as the lane knows. */
  #ofRuns(views: readonly GuestView[]): GuestView[] {
    return views.filter(({ instanceId }) => this.#runs.has(instanceId));
  }

  /**
   * Frees memory of the lane's thread, for a daemon at rest. The lane answers nothing meanwhile, so with many
   * instances, where this would take long, garbage stays until V8 needs its place.
   */
  free(what: 'garbage' | 'pages'): void {
    if (this.#runs.size <= FREED_RUNS_MAX) this.#send({ kind: 'free', what });
  }

  closeInstance(instanceId: number, reason: string): number {
    const applied = this.#tellAndWait({ kind: 'close-instance', instanceId });
    this.#closed.set(instanceId, { order: this.#ordered, reason });
    setTimeout(() => this.#closed.delete(instanceId), HANDED_OVER_MS_MAX).unref();
    return applied ? Atomics.load(this.#shared, CLOSED) : 0;
  }

  serve(listening: number, calls: FrontEndCalls<Caller>): void {
    this.#calls = calls;
    this.#send({ kind: 'serve', listening });
  }

  takeOver(connections: readonly number[]): void {
    for (const fd of connections) this.#owned[fd] = 1;
    this.#send({ kind: 'take-over', connections });
  }

  taken(accepted: Accepted<Caller>): void {
    this.#send({ kind: 'taken', share: shareOf(accepted) });
  }

  release(accepted: Accepted<Caller>): void {
    this.#send({ kind: 'release', share: shareOf(accepted) });
  }

  connections(): number {
    return Atomics.load(this.#shared, OPEN);
  }

  async stop(end: FrontEndStop = { acceptWaiting: false, leave: false }): Promise<void> {
    if (this.#state === 'works') {
      this.#send({ kind: 'stop', ...end });
      this.#state = 'stopping';
      this.#worker.ref();
    }
    await this.#ended;
  }

  #send(order: Order): boolean {
    if (this.#state !== 'works') return false;
    this.#worker.postMessage(order);
    this.#ordered = (this.#ordered + 1) | 0;
    // Runs that are added before clients can connect, thousands at a start, are applied with the first other
    // order.
    if (order.kind !== 'run' || this.#calls !== undefined) wake(this.#wake);
    return true;
  }

  /** False when the lane has ended, and there is nothing to wait for. */
  #tellAndWait(order: Order): boolean {
    if (!this.#send(order)) return false;
    // No client can be connected yet, and orders are applied one after the other.
    if (this.#calls === undefined) return true;
    const untilMs = performance.now() + OBEY_MS_MAX;
    for (;;) {
      const done = Atomics.load(this.#shared, DONE);
      if (done === this.#ordered) return true;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) break;
      Atomics.wait(this.#shared, DONE, done, leftMs);
    }
    this.#fail(new Error('the lane does not obey'));
    return false;
  }

  #hear(report: Report): void {
    if (report.kind === 'handed-over') this.#take(report);
    else if (report.kind === 'kept') for (const fd of report.connections) this.#calls?.keep(fd);
    else if (report.kind === 'fault') {
      this.#log.error({ error: report.error, caller: report.caller }, 'a guest request failed');
    } else if (report.kind === 'new-processes') this.#onNewProcesses?.(report.found);
    else this.#acceptFailed();
  }

  /**
   * Takes a connection from the lane. It is ended if the connections of its instance were ended while it was
   * on its way.
   */
  #take(report: HandedReport): void {
    const { caller, applied, fd } = report;
    const instanceId = caller.kind === 'no-instance' ? 0 : caller.instanceId;
    const closed = this.#closed.get(instanceId);
    if (closed === undefined || ((closed.order - applied) | 0) <= 0) {
      this.#calls?.take(handedOver(report));
      return;
    }
    const { reason } = closed;
    this.#log.info({ instanceId, reason, connections: 1 }, 'connections of an instance ended');
    close(fd);
    this.taken(acceptedOf(caller));
    this.release(acceptedOf(caller));
  }

  #acceptFailed(): void {
    const nowMs = performance.now();
    if (nowMs - this.#acceptLoggedMs < ACCEPT_LOG_MS) return;
    this.#acceptLoggedMs = nowMs;
    this.#log.error({ connections: this.connections() }, 'accepting connections fails');
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed') return;
    this.#state = 'failed';
    this.#log.error({ error: messageOf(error) }, 'the fast lane has failed: going on without it');
    void this.#worker.terminate();
  }

  #exited(): void {
    close(this.#wake);
    if (this.#state === 'stopping') {
      this.#state = 'ended';
      return;
    }
    this.#fail(new Error('its thread has ended'));
    // Not before: the thread might still use a number that another file has got.
    for (let fd = this.#owned.indexOf(1); fd >= 0; fd = this.#owned.indexOf(1, fd + 1)) close(fd);
    this.#calls?.alone();
  }
}
