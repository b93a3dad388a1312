import { type Look, Looks } from './looks.ts';

/** Maximum number of programs that look at files of one user, because this user can make them wait for ever. */
const OF_USER = 2;

/** Looks with the rights of the owner of a container. Each user has a limit, so no user holds up another. */
export class LooksByUser {
  readonly #root = new Looks();
  readonly #users = new Map<number, Look>();

  get asRoot(): Look {
    return this.#root.asRoot;
  }

  asUser(uid: number): Look {
    const look = this.#users.get(uid) ?? new Looks(OF_USER).asUser(uid);
    this.#users.set(uid, look);
    return look;
  }

  /** @param owner the uid of a user; empty for root */
  as(owner: string): Look {
    return owner === '' ? this.asRoot : this.asUser(Number(owner));
  }
}
