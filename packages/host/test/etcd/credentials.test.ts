import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEtcd } from '../../src/etcd/client.ts';
import { Authority } from '../../src/etcd/testing/certificates.ts';
import { type ClusterSetup, EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { watched } from './watched.ts';

const write = (key: string) => ({ compare: [], success: [{ put: { key, value: 'x' } }] });

/** A cluster for the tests of a `describe`. */
function clusterFor(setup: ClusterSetup): () => EtcdCluster {
  let cluster: EtcdCluster | undefined;
  beforeAll(async () => {
    cluster = await EtcdCluster.start(setup);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  return () => cluster as EtcdCluster;
}

describe('TLS', () => {
  const cluster = clusterFor({ tls: 'server' });

  it('works with the right authority', async () => {
    const etcd = openEtcd(cluster().options());
    const watch = await watched(etcd, 'k');
    const { revision } = await etcd.txn(write('k'));
    await watch.upTo(revision);
    etcd.close();
  });

  it('fails with another authority, and without one, before anything is sent', async () => {
    const other = await Authority.make(cluster().folder, 'other-ca');
    for (const tls of [other.files(), {}]) {
      const etcd = openEtcd(cluster().options({ tls }));
      await expect(etcd.txn(write('k'))).rejects.toMatchObject({
        code: 'etcd-certificate',
        status: 503,
        message: expect.stringContaining(cluster().node(0).endpoint),
      });
      etcd.close();
    }
  });

  it('fails where etcd has none', async () => {
    await using plain = await EtcdCluster.start();
    const endpoint = plain.node(0).endpoint.replace('http:', 'https:');
    const etcd = openEtcd({ endpoints: [endpoint] });
    await expect(etcd.status()).rejects.toMatchObject({
      code: 'etcd-unreachable',
      message: expect.stringContaining('before TLS was agreed'),
    });
    etcd.close();
  });

  it('is not left out: etcd refuses a client without it', async () => {
    const etcd = openEtcd({ endpoints: [cluster().node(0).endpoint.replace('https:', 'http:')] });
    await expect(etcd.status()).rejects.toMatchObject({
      message: expect.stringMatching(/HTTP request to an HTTPS server|connection was cut/),
    });
    etcd.close();
  });
});

describe('TLS with client certificates', () => {
  const cluster = clusterFor({ tls: 'both' });

  it('works with the right one, also for watches', async () => {
    const etcd = openEtcd(cluster().options());
    const watch = await watched(etcd, 'k');
    const { revision } = await etcd.txn(write('k'));
    await watch.upTo(revision);
    etcd.close();
  });

  it('fails without one, and with one of another authority; a write is known not to have happened', async () => {
    const { folder, authority } = cluster();
    const other = await Authority.make(folder, 'other-clients');
    await other.sign('stranger', 'clientAuth');
    const { ca = '' } = authority?.files() ?? {};
    for (const tls of [{ ca }, { ...other.files('stranger'), ca }])
      for (let time = 0; time < 20; time++) {
        const etcd = openEtcd(cluster().options({ tls }));
        await expect(etcd.txn(write('never'))).rejects.toMatchObject({ code: 'etcd-certificate' });
        etcd.close();
      }
    const etcd = openEtcd(cluster().options());
    expect((await etcd.range({ key: 'never' })).kvs).toEqual([]);
    etcd.close();
  });

  it("fails if etcd's own certificate is not for clients too, because its gateway is one", async () => {
    await using narrow = await EtcdCluster.start({ tls: 'both', purposes: 'serverAuth' });
    const etcd = openEtcd(narrow.options());
    await expect(etcd.status()).rejects.toMatchObject({
      code: 'etcd-unreachable',
      message: expect.stringContaining('clientAuth'),
    });
    etcd.close();
  });
});

describe('a password', () => {
  const user = { user: 'porthole', password: 'größe"\\ 1', prefix: 'mine/' };
  /** A user with one token at a time. */
  const idle = { ...user, user: 'idle' };
  const cluster = clusterFor({ users: [user, idle], flags: ['--auth-token-ttl=1', '--log-level=debug'] });

  it('gives the rights of its user', async () => {
    const etcd = openEtcd(cluster().options({ login: user }));
    const watch = await watched(etcd, 'mine/');
    const { revision } = await etcd.txn(write('mine/1'));
    await watch.upTo(revision);
    const refused = { code: 'etcd-permission', status: 503 };
    await expect(etcd.txn(write('other/1'))).rejects.toMatchObject(refused);
    await expect(etcd.range({ prefix: 'other/' })).rejects.toMatchObject(refused);
    await expect(watched(etcd, 'other/')).rejects.toMatchObject(refused);
    etcd.close();
  });

  it('that is wrong or missing is refused', async () => {
    for (const login of [{ ...user, password: 'wrong' }, { ...user, user: 'nobody' }, undefined]) {
      const etcd = openEtcd(cluster().options({ login }));
      await expect(etcd.txn(write('mine/2'))).rejects.toMatchObject({
        code: 'etcd-refused-credentials',
        status: 503,
      });
      etcd.close();
    }
  });

  it('is sent again when its token has ended, for reads, writes and watches', async () => {
    const etcd = openEtcd(cluster().options({ login: idle }));
    await etcd.txn(write('mine/3'));
    const end = () =>
      cluster()
        .node(0)
        .logged(/deleted a simple token.*"user-name":"idle"/);
    await end();
    await etcd.txn(write('mine/3'));
    await end();
    const watch = await watched(etcd, 'mine/3');
    const { revision } = await etcd.txn(write('mine/3'));
    await watch.upTo(revision);
    await end();
    expect((await etcd.range({ key: 'mine/3' })).kvs).toMatchObject([{ modRevision: revision }]);
    etcd.close();
  });

  it('is sent again when etcd was restarted', async () => {
    const etcd = openEtcd(cluster().options({ login: user }));
    await etcd.txn(write('mine/4'));
    await cluster().node(0).kill();
    cluster().node(0).start();
    await cluster().node(0).ready();
    await etcd.txn(write('mine/4'));
    etcd.close();
  });

  it('is not needed by an etcd without users', async () => {
    await using open = await EtcdCluster.start();
    const etcd = openEtcd(open.options({ login: user }));
    await etcd.txn(write('anyone'));
    etcd.close();
  });
});

describe('a client certificate with users', () => {
  const user = { user: 'porthole', password: 'secret', prefix: 'mine/' };
  // The name in etcd's own certificate is a user's too: its gateway must not lend it to others.
  const cluster = clusterFor({ tls: 'both', users: [user, { ...user, user: 'server' }] });

  it('does not replace a password, and the gateway does not lend its own name', async () => {
    const etcd = openEtcd(cluster().options({ login: undefined }));
    await expect(etcd.range({ key: 'mine/1' })).rejects.toMatchObject({
      code: 'etcd-refused-credentials',
      message: expect.stringContaining('user name is empty'),
    });
    etcd.close();
  });

  it('works together with a password, if it has no common name', async () => {
    const etcd = openEtcd(cluster().options({ login: user }));
    const watch = await watched(etcd, 'mine/');
    const { revision } = await etcd.txn(write('mine/1'));
    await watch.upTo(revision);
    await expect(etcd.txn(write('other/1'))).rejects.toMatchObject({ code: 'etcd-permission' });
    etcd.close();
  });

  it('with a common name is refused, and the message says what helps', async () => {
    const tls = cluster().authority?.files('named') ?? {};
    const etcd = openEtcd(cluster().options({ login: user, tls }));
    await expect(etcd.txn(write('mine/1'))).rejects.toMatchObject({
      code: 'etcd-refused-credentials',
      message: expect.stringContaining('give one without, and a user with a password'),
    });
    etcd.close();
  });
});
