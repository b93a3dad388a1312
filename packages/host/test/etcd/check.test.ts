import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { BIN } from '../harness/daemon.ts';

let folder: string;
let plain: EtcdCluster;
let strict: EtcdCluster;
let silent: Server;
let other: EtcdCluster;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-check-');
  plain = await EtcdCluster.start();
  other = await EtcdCluster.start();
  const users = [{ user: 'porthole', password: 'right', prefix: '/porthole/' }];
  strict = await EtcdCluster.start({ tls: 'both', users });
  writeFileSync(join(folder, 'right'), 'right\n');
  writeFileSync(join(folder, 'wrong'), 'wrong\n');
  silent = createServer(() => {}).listen(0, '127.0.0.1');
});

afterAll(async () => {
  silent?.close();
  for (const cluster of [plain, other, strict]) await cluster?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `portholed --check`; `@` in a value is the folder of etcd's certificates, `~` that of passwords. */
function check(values: Record<string, string>, flag = '--check') {
  const all = { store: 'etcd', 'member-address': '127.0.0.1:1', ...values };
  const flags = Object.entries(all).flatMap(([name, value]) => [
    `--${name}`,
    value.replace('@', strict.folder).replace('~', folder),
  ]);
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(join(BIN, 'portholed'), ['--state-dir', folder, flag, ...flags], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

const at = (cluster: EtcdCluster) => ({ 'etcd-endpoints': cluster.endpoints.join(',') });
const certificates = { 'etcd-ca': '@/ca.crt', 'etcd-cert': '@/client.crt', 'etcd-key': '@/client.key' };
const user = (password: string) => ({ 'etcd-user': 'porthole', 'etcd-password-file': `~/${password}` });

describe('portholed --check', () => {
  it('says what it has found, without a user and TLS', async () => {
    const { code, stdout, stderr } = await check(at(plain));
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^etcd: http:\S+ runs version 3\.\d+\.\d+ \(cluster [0-9a-f]+, node [0-9a-f]+\) and answers a read in \d+\.\d ms\netcd: the connection is not encrypted\netcd: no user, and etcd asks for none\netcd: keys that begin with \/porthole\/ can be read and written\n$/,
    );
    expect(code).toBe(0);
  });

  it('says which ways of authentication work', async () => {
    const { code, stdout, stderr } = await check({ ...at(strict), ...certificates, ...user('right') });
    expect(stderr).toBe('');
    expect(stdout).toContain('etcd: TLS; etcd asks for a certificate, and accepts that of etcd-cert\n');
    expect(stdout).toContain('etcd: user porthole, whose password is accepted\n');
    expect(code).toBe(0);
  });

  it('says that a user is not needed', async () => {
    const { code, stdout } = await check({ ...at(plain), ...user('right') });
    expect(stdout).toContain('etcd: user porthole is not needed: etcd asks for no user\n');
    expect(code).toBe(0);
  });

  it('names the endpoints that fail, if another one answers', async () => {
    const endpoints = `http://127.0.0.1:9,${plain.endpoints[0]}`;
    const { code, stdout } = await check({ 'etcd-endpoints': endpoints });
    expect(stdout).toContain(
      'etcd: not in use: etcd cannot be reached at http://127.0.0.1:9: nothing listens there\n',
    );
    expect(code).toBe(0);
  });

  it.each([
    [
      'nothing listens',
      () => ({ 'etcd-endpoints': 'http://127.0.0.1:9' }),
      /cannot be reached .*: nothing listens there/,
    ],
    [
      'etcd is silent',
      () => ({ 'etcd-endpoints': `http://127.0.0.1:${port()}` }),
      /cannot be reached .*: no answer/,
    ],
    [
      'the name is unknown',
      () => ({ 'etcd-endpoints': 'http://nowhere.invalid:1' }),
      /cannot be reached .*: the name /,
    ],
    [
      'a wrong password',
      () => ({ ...at(strict), ...certificates, ...user('wrong') }),
      /refuses the credentials/,
    ],
    ['no user', () => ({ ...at(strict), ...certificates }), /user name is empty/],
    [
      'no certificate',
      () => ({ ...at(strict), 'etcd-ca': '@/ca.crt', ...user('right') }),
      /The TLS connection to etcd at .* failed: the other side wants a certificate that it trusts/,
    ],
    [
      'an unknown authority',
      () => ({ ...at(strict), ...user('right') }),
      /The TLS connection to etcd at .* failed/,
    ],
    [
      'another prefix',
      () => ({ ...at(strict), ...certificates, ...user('right'), 'etcd-prefix': '/other/' }),
      /does not permit this to its user/,
    ],
    [
      'two clusters',
      () => ({ 'etcd-endpoints': [...plain.endpoints, ...other.endpoints].join(',') }),
      /are of different clusters/,
    ],
  ])('says in one line that it cannot use etcd, in a few seconds: %s', async (_, values, message) => {
    const start = performance.now();
    const { code, stdout, stderr } = await check(values());
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^portholed: [^\n]*\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(1);
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('does not ask etcd for the start of the daemon', async () => {
    const { code } = await check({ 'etcd-endpoints': 'http://127.0.0.1:9' }, '--check-start');
    expect(code).toBe(0);
  });
});

function port(): number {
  return (silent.address() as { port: number }).port;
}
