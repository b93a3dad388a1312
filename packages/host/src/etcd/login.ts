import type { AttemptLimits, Endpoint } from './endpoint.ts';
import { Failure } from './failure.ts';

/** A user of etcd. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/**
 * Holds etcd's token for the user. Tokens end after some minutes without use (etcd's flag `--auth-token-ttl`), with
 * etcd's restart and with changes of users: then etcd refuses a request before it does anything, and it is sent again
 * with a new token.
 */
export class Login {
  readonly #credentials: Credentials | undefined;
  /** The token; undefined in it if etcd has no users. */
  #held: Held | undefined;
  #logIn: Promise<Held> | undefined;

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials;
  }

  /** Carries out a request that needs a token. @throws Failure */
  async with<T>(
    endpoint: Endpoint,
    limits: AttemptLimits,
    send: (token: string | undefined) => Promise<T>,
  ): Promise<T> {
    if (!this.#credentials) return send(undefined);
    const held = this.#held ?? (await this.#take(endpoint, limits, this.#credentials));
    try {
      return await send(held.token);
    } catch (error) {
      if (!(error instanceof Failure) || !error.means.staleToken) throw error;
      if (this.#held === held) this.#held = undefined;
      return send((await this.#take(endpoint, limits, this.#credentials)).token);
    }
  }

  /** Requests at the same time share one log-in: etcd takes a tenth of a second to check a password. */
  async #take(endpoint: Endpoint, limits: AttemptLimits, credentials: Credentials): Promise<Held> {
    // It may have failed at another endpoint; this one is tried then.
    await this.#logIn?.catch(() => {});
    if (this.#held) return this.#held;
    const logIn = logInAt(endpoint, limits, credentials);
    this.#logIn = logIn;
    this.#held = await logIn;
    return this.#held;
  }
}

interface Held {
  readonly token: string | undefined;
}

async function logInAt(
  endpoint: Endpoint,
  limits: AttemptLimits,
  { user, password }: Credentials,
): Promise<Held> {
  const body = JSON.stringify({ name: user, password });
  try {
    const answer = await endpoint.post({ path: '/v3/auth/authenticate', body }, limits);
    return { token: (JSON.parse(answer) as { token?: string }).token };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // As etcdctl does: an etcd without users serves everyone.
    if (error.message.includes('authentication is not enabled')) return { token: undefined };
    // A log-in that is lost changes nothing.
    throw new Failure(error.code, error.message, { ...error.means, mayBeDone: false });
  }
}
