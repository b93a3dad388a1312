import { CodedError } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Keep, LeftSockets } from '../base/sockets.ts';
import type { Caller } from '../core/caller.ts';
import type { Application } from '../http/application.ts';
import type { FrontEnd } from '../http/front-end.ts';
import type { ListenAddress } from '../http/listener.ts';
import { HttpServer } from '../http/server.ts';
import type { GuestBackend } from './backend.ts';
import { acceptedOf } from './caller-key.ts';
import { decide } from './decide.ts';
import { textError } from './guest-errors.ts';
import { DEFAULT_GUEST_LIMITS, type Limits } from './guest-limits.ts';
import type { Sender } from './image-export.ts';
import { createPerformer } from './performer.ts';

export interface GuestServerOptions {
  readonly log: Log;
  readonly limits?: Partial<Limits>;
  /** Answers plain requests before they reach this server. */
  readonly frontEnd?: GuestFrontEnd | undefined;
  /** Sends files without reading them. */
  readonly sender?: Sender | undefined;
}

/** A front end that knows instances. */
export interface GuestFrontEnd extends FrontEnd<Caller> {
  /** Ends the connections of an instance that the front end has; returns how many. */
  closeInstance(instanceId: number, reason: string): number;
}

/** Methods whose body has a meaning. */
const WITH_BODY: ReadonlySet<string> = new Set(['PATCH', 'PUT']);

/** Longer paths of guests are cut to this in the log. */
const LOGGED_PATH_CHARACTERS_MAX = 200;

/** The guest API on one Unix socket for all instances. */
export class GuestServer {
  readonly #http: HttpServer<Caller>;
  readonly #log: Log;
  readonly #frontEnd: GuestFrontEnd | undefined;

  constructor(backend: GuestBackend, options: GuestServerOptions) {
    const limits: Limits = { ...DEFAULT_GUEST_LIMITS, ...options.limits };
    this.#log = options.log;
    this.#frontEnd = options.frontEnd;
    this.#http = new HttpServer({
      application: createApplication(backend, options, limits),
      limits,
      log: this.#log,
      frontEnd: options.frontEnd,
    });
  }

  /** Listens on a path or an inherited listening socket; a path appears only when connections are served. */
  listen(address: ListenAddress): Promise<void> {
    return this.#http.listen(address);
  }

  /** Ends all connections of an instance, also event streams and those of other users; returns how many. */
  closeInstance(instanceId: number, reason: string): number {
    const ofInstance = (caller: Caller) => caller.kind !== 'no-instance' && caller.instanceId === instanceId;
    const count =
      (this.#frontEnd?.closeInstance(instanceId, reason) ?? 0) + this.#http.closeWhere(ofInstance);
    if (count > 0)
      this.#log.info({ instanceId, reason, connections: count }, 'connections of an instance ended');
    return count;
  }

  /** Removes the socket, lets requests end, closes idle connections; cuts the rest after `graceMs`. */
  stop(graceMs: number): Promise<void> {
    return this.#http.stop(graceMs);
  }

  /** Serves connections that the previous daemon has left. */
  takeOver(connections: readonly number[]): void {
    this.#http.takeOver(connections);
  }

  /** Lets requests end, notifies event streams of the restart, and leaves the rest to the next daemon. */
  leaveSockets(graceMs: number, keep: Keep): Promise<LeftSockets> {
    return this.#http.leaveSockets(graceMs, keep);
  }

  /** Open connections of all callers. */
  connections(): number {
    return this.#http.connections();
  }
}

function createApplication(
  backend: GuestBackend,
  options: GuestServerOptions,
  limits: Limits,
): Application<Caller> {
  const { log } = options;
  const perform = createPerformer(backend, options, limits);
  const viewOf = backend.view.bind(backend);
  return {
    accept: (fd) => {
      const caller = backend.identify(fd);
      return caller instanceof Promise ? caller.then(acceptedOf) : acceptedOf(caller);
    },
    readsBody: (caller, head) => caller.kind === 'instance' && WITH_BODY.has(head.method),
    answer: (caller, request, turn) => {
      const decideNow = () => decide(caller, request, viewOf);
      const instanceId = caller.kind === 'no-instance' ? 0 : caller.instanceId;
      return perform(decideNow(), { instanceId, head: request.head, decide: decideNow, turn });
    },
    failed: (error, caller, head) => {
      const path = head?.target.path.slice(0, LOGGED_PATH_CHARACTERS_MAX);
      log.error({ error: causeOf(error), caller, method: head?.method, path }, 'a guest request failed');
      return textError('internal');
    },
  };
}

function causeOf(error: unknown): string {
  if (error instanceof CodedError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
