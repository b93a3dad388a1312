import type { EtcdOptions } from '../client.ts';
import { endOfPrefix } from '../encode.ts';
import { Endpoint } from '../endpoint.ts';
import type { Credentials } from '../login.ts';

/** A user who may read and write all keys with a prefix. */
export interface UserRow extends Credentials {
  readonly prefix: string;
}

/** The user with all rights. */
export const OPERATOR: Credentials = { user: 'root', password: 'root-password' };

const LIMITS = { connectMs: 10_000, answerMs: 10_000 };

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Makes users, and has etcd ask for passwords from now on. */
export async function makeUsers(
  { endpoints, tls = {} }: EtcdOptions,
  users: readonly UserRow[],
): Promise<void> {
  const endpoint = new Endpoint(endpoints[0] ?? '', tls);
  const post = (path: string, json: object) =>
    endpoint.post({ path: `/v3/auth/${path}`, body: JSON.stringify(json) }, LIMITS);
  try {
    await post('user/add', { name: OPERATOR.user, password: OPERATOR.password });
    await post('role/add', { name: 'root' });
    await post('user/grant', { user: OPERATOR.user, role: 'root' });
    for (const { user, password, prefix } of users) {
      await post('user/add', { name: user, password });
      await post('role/add', { name: `role-${user}` });
      const perm = { permType: 'READWRITE', key: base64(prefix), range_end: endOfPrefix(prefix) };
      await post('role/grant', { name: `role-${user}`, perm });
      await post('user/grant', { user, role: `role-${user}` });
    }
    await post('enable', {});
  } finally {
    endpoint.close();
  }
}
