// A separate program, started by the daemon shortly before it loads the next program; successor.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { SystemError } from './libc.ts';
import { PinnedProcess } from './pinned-process.ts';
import {
  detach,
  EVENT_EXEC,
  EVENT_STOP,
  interrupt,
  listen,
  nextTraced,
  proceed,
  seize,
  type Traced,
} from './ptrace.ts';

const SIGHUP = 1;
const HELD: ReadonlySet<number> = new Set([SIGHUP, 2, 15]);
/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU. */
const STOPPING: ReadonlySet<number> = new Set([19, 20, 21, 22]);

const CHANNEL = 3;
const LOOK_MS = 1;
/** Loading the program takes a tenth of a second. After any error, signals are kept no longer than this. */
const HOLD_MS_MAX = 30_000;
/** A thread that does not even stop is left to the kernel, which stops tracing it when this program ends. */
const LEAVE_MS_MAX = 1_000;

/**
 * Keeps the signals that a daemon obeys while it has no handlers: Node sets all signals to their default
 * action when it starts, even those that were blocked or ignored before. Until the next program has its
 * handlers, this program, which traces the daemon, takes the signals and sends them again afterwards. If it
 * dies, the kernel stops tracing the daemon.
 */
class SignalGuard {
  readonly #daemon: PinnedProcess;
  readonly #threads = new Set<number>();
  readonly #taken = new Set<number>();
  #replaced = false;
  #leaving = false;

  constructor(daemon: PinnedProcess) {
    this.#daemon = daemon;
  }

  /** Begins to hold signals. All threads are traced, since any of them may take a signal. @throws EPERM */
  hold(): void {
    try {
      while (this.#seizeMore());
    } catch (error) {
      this.leave();
      throw error;
    }
    setTimeout(() => this.leave(), HOLD_MS_MAX).unref();
  }

  /** Stops tracing the daemon, and gives it the signals. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    for (const tid of this.#threads) if (!interrupt(tid)) this.#threads.delete(tid);
    setTimeout(() => this.#threads.clear(), LEAVE_MS_MAX).unref();
  }

  /** Handles all events. @returns whether there is more to hold, or to stop tracing */
  turn(): boolean {
    for (let traced = nextTraced(); traced; traced = nextTraced()) this.#see(traced);
    if (this.#replaced && !this.#leaving && hasHandlers(this.#daemon.pid)) this.leave();
    if (this.#threads.size > 0) return true;
    for (const signal of this.#taken) this.#daemon.signal(signal);
    return false;
  }

  #seizeMore(): boolean {
    const tids = readdirSync(`/proc/${this.#daemon.pid}/task`).map(Number);
    const more = tids.filter((tid) => !this.#threads.has(tid) && seized(tid));
    for (const tid of more) this.#threads.add(tid);
    return more.length > 0;
  }

  #see(traced: Traced): void {
    const { tid } = traced;
    if (traced.kind === 'ended') {
      this.#threads.delete(tid);
      return;
    }
    const { signal, event } = traced;
    this.#threads.add(tid);
    if (event === EVENT_EXEC) this.#replaced = true;
    const held = event === 0 && HELD.has(signal);
    if (held) this.#taken.add(signal);
    const passed = event === 0 && !held ? signal : 0;
    if (this.#leaving) {
      detach(tid, passed);
      this.#threads.delete(tid);
    } else if (event === EVENT_STOP && STOPPING.has(signal)) listen(tid);
    else proceed(tid, passed);
  }
}

/** False when the thread has ended. */
function seized(tid: number): boolean {
  try {
    seize(tid);
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ESRCH') return false;
    // A thread that a traced thread has created is traced from its beginning.
    if (statusField(tid, 'TracerPid') !== String(process.pid)) throw error;
  }
  return true;
}

/** Whether a program has a handler for SIGHUP, which the daemon sets last. */
function hasHandlers(pid: number): boolean {
  return (BigInt(`0x${statusField(pid, 'SigCgt') ?? '0'}`) & 1n) === 1n;
}

/** A field of /proc/PID/status, proc(5). */
function statusField(pid: number, field: string): string | undefined {
  try {
    return new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
const daemon = PinnedProcess.find(Number(process.argv[2]));
const guard = daemon && new SignalGuard(daemon);

function look(): void {
  if (guard?.turn()) setTimeout(look, LOOK_MS);
  else channel.destroy();
}

function hold(): string {
  try {
    guard?.hold();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

channel.on('error', () => {});
channel.write('\n');
channel.on('data', (order) => {
  if (String(order) === 'leave') return guard?.leave();
  channel.write(`${hold()}\n`);
  look();
});
