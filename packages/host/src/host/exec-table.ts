import { constants } from 'node:os';
import type { WebSocket } from 'ws';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { hostError } from '../core/host-errors.ts';
import type { ExecSession } from '../instances/requests.ts';
import type { ExecProcess, ExecRequest } from '../runtimes/contract/exec.ts';
import { CUT, ExecStreams } from './exec-streams.ts';
import type { Claim } from './upgrade.ts';

/** An exec without websockets. */
interface Alone {
  process: ExecProcess | null;
  readonly over: PromiseWithResolvers<void>;
}

/** The execs whose websockets may connect or are connected, by operation. */
export class ExecTable {
  readonly #execs = new Map<string, ExecStreams>();
  readonly #alone = new Map<ExecSession, Alone>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Takes care of a new exec's streams; one that waits for none starts at once, and its output is dropped.
   */
  add(session: ExecSession, request: Pick<ExecRequest, 'waitForWebsocket' | 'interactive'>): void {
    if (!request.waitForWebsocket) {
      void this.#runAlone(session);
      return;
    }
    const { id } = session.operation;
    const streams = new ExecStreams(session, request.interactive, this.#log);
    this.#execs.set(id, streams);
    void streams.over.then(() => this.#execs.delete(id));
  }

  /** @throws bad-secret unless the secret is that of a stream which has not been connected yet */
  claim(operationId: string, secret: string): Claim {
    const streams = this.#execs.get(operationId);
    const name = streams?.nameOf(secret);
    if (!streams || name === undefined) throw hostError('bad-secret');
    return { open: (socket: WebSocket) => streams.connect(name, socket), drop: () => {} };
  }

  /** Ends all execs: their processes, and their operations. */
  stop(): void {
    for (const streams of this.#execs.values()) streams.cut();
    for (const [session, alone] of this.#alone) {
      alone.process?.signal(constants.signals.SIGKILL);
      session.fail(CUT);
      alone.over.resolve();
    }
  }

  /** Settles when no execs are left. */
  async idle(): Promise<void> {
    await Promise.all([...this.#execs.values()].map(({ over }) => over));
    await Promise.all([...this.#alone.values()].map(({ over }) => over.promise));
  }

  async #runAlone(session: ExecSession): Promise<void> {
    const alone: Alone = { process: null, over: Promise.withResolvers<void>() };
    this.#alone.set(session, alone);
    try {
      const process = await session.start();
      alone.process = process;
      process.onOutput(() => {});
      process.endInput();
      await process.exited;
    } catch (error) {
      // The client learns it from the operation.
      this.#log.debug({ operation: session.operation.id, reason: messageOf(error) }, 'exec failed');
    }
    this.#alone.delete(session);
    alone.over.resolve();
  }
}
