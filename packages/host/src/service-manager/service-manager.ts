import { TIMER_MS_MAX } from '../base/long-timer.ts';
import { sendDatagram } from '../native/datagram.ts';

/** Variables of the service manager that other programs must not get. */
export const SERVICE_VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

const USEC_PER_MS = 1000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reports the daemon's state to the service manager, sd_notify(3); does nothing if there is none. */
export class ServiceManager {
  readonly #socket: string | undefined;

  /** @param pid of this process */
  constructor(env: Environment, pid: number) {
    this.#socket = env['NOTIFY_SOCKET'];
    const watched = (env['WATCHDOG_PID'] ?? String(pid)) === String(pid);
    const periodMs = Number(env['WATCHDOG_USEC'] ?? 0) / USEC_PER_MS;
    // Twice as often as required, sd_watchdog_enabled(3): a blocked event loop is noticed.
    if (watched && periodMs > 0) {
      setInterval(() => this.#notify('WATCHDOG=1'), Math.min(periodMs / 2, TIMER_MS_MAX)).unref();
    }
  }

  /** The daemon serves. */
  ready(): void {
    this.#notify('READY=1\nSTATUS=Serving');
  }

  /** The daemon restarts in place, and will be ready again in a moment. */
  reloading(): void {
    const nowUsec = process.hrtime.bigint() / 1000n;
    this.#notify(`RELOADING=1\nMONOTONIC_USEC=${nowUsec}\nSTATUS=Restarting`);
  }

  stopping(): void {
    this.#notify('STOPPING=1\nSTATUS=Running requests end');
  }

  #notify(state: string): void {
    if (this.#socket !== undefined) sendDatagram(this.#socket, state);
  }
}
