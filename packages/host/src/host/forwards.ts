import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { hostError } from '../core/host-errors.ts';
import { REMEMBERED_OPERATIONS_MAX } from './host-limits.ts';

/** Node warns of a leak when more than ten listen, as many requests do at the same time. */
function abortsMany(): AbortController {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  return abort;
}

const OPERATION = /^\/1\.0\/operations\/([0-9a-f-]+)$/;

/** The requests that this member has passed on to others, while they run, and the operations that they have started. */
export class Forwards {
  readonly #abort = abortsMany();
  readonly #running = new Set<Promise<void>>();
  readonly #members = new Map<string, string>();

  /**
   * Does work that passes a request on.
   * @param work stops when the signal aborts
   * @throws shutting-down when the daemon ends, and the errors of the work
   */
  async run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#abort.signal.aborted) throw hostError('shutting-down');
    const running = work(this.#abort.signal);
    const settled = running.catch(() => {});
    this.#running.add(settled);
    try {
      await running;
    } finally {
      this.#running.delete(settled);
    }
  }

  /** Remembers where an operation is, if an answer of a member says that it has started one. */
  note(member: string, { headers }: Pick<IncomingMessage, 'headers'>): void {
    const id = OPERATION.exec(headers.location ?? '')?.[1];
    if (id !== undefined) this.remember(id, member);
  }

  remember(operation: string, member: string): void {
    this.#members.set(operation, member);
    if (this.#members.size <= REMEMBERED_OPERATIONS_MAX) return;
    const [oldest = ''] = this.#members.keys();
    this.#members.delete(oldest);
  }

  /** The member that has an operation, as far as it is remembered. */
  memberOf(operation: string): string | undefined {
    return this.#members.get(operation);
  }

  /** Ends all that runs, and takes no more. */
  stop(): void {
    this.#abort.abort();
  }

  /** Settles when nothing runs any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }
}
