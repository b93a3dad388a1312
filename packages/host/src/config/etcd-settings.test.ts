import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { etcdSettings } from './etcd-settings.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-etcd-settings-');
  const files = { ca: '-----BEGIN CERTIFICATE-----\nca', crt: '-----BEGIN CERTIFICATE-----\ncrt' };
  for (const [name, text] of Object.entries({ ...files, key: '-----BEGIN PRIVATE KEY-----\nkey' }))
    writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'password'), 'se cret\r\nnot this\n');
  writeFileSync(join(folder, 'empty'), '\nsecond\n');
  mkdirSync(join(folder, 'folder'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Reads `key: value` pairs; `@` in a value is the folder. */
function read(values: Record<string, string>) {
  const flags = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value.replace(/^@/, folder)]);
  const invocation = readConfig({ args: ['--state-dir', folder, ...flags], env: {} });
  if (invocation.kind !== 'run') throw new Error('not a run');
  return invocation.config.settings;
}

const PLAIN = { store: 'etcd', 'etcd-endpoints': 'http://a:2379' };
const TLS = { ...PLAIN, 'etcd-endpoints': 'https://a:2379' };

describe('the settings of etcd', () => {
  it('needs nothing on a single host, and keeps etcd’s settings for later', () => {
    expect(read({}).store).toBe('sqlite');
    expect(read({ 'etcd-endpoints': 'https://a:2379', 'etcd-ca': '/nowhere' }).store).toBe('sqlite');
  });

  it('reads the files', () => {
    const files = { 'etcd-ca': '@/ca', 'etcd-cert': '@/crt', 'etcd-key': '@/key' };
    const login = { 'etcd-user': 'porthole', 'etcd-password-file': '@/password' };
    const endpoints = 'https://etcd-1:2379,https://[2001:db8::1]:65535';
    const settings = read({ ...TLS, 'etcd-endpoints': endpoints, ...files, ...login });
    expect(etcdSettings(settings)).toEqual({
      endpoints: ['https://etcd-1:2379', 'https://[2001:db8::1]:65535'],
      tls: {
        ca: '-----BEGIN CERTIFICATE-----\nca',
        cert: '-----BEGIN CERTIFICATE-----\ncrt',
        key: '-----BEGIN PRIVATE KEY-----\nkey',
      },
      login: { user: 'porthole', password: 'se cret' },
    });
  });

  it.each([
    [{ store: 'etcd' }, /with store: etcd, etcd-endpoints must be set/],
    [{ ...TLS, 'etcd-cert': '@/crt' }, /etcd-cert is set: etcd-key must be set too/],
    [{ ...TLS, 'etcd-key': '@/key' }, /etcd-key is set: etcd-cert must be set too/],
    [{ ...PLAIN, 'etcd-user': 'u' }, /etcd-user is set: etcd-password-file must be set too/],
    [{ ...PLAIN, 'etcd-password-file': '@/password' }, /etcd-password-file is set: etcd-user must/],
    [{ ...PLAIN, 'etcd-ca': '@/ca' }, /etcd-ca is set: the URLs in etcd-endpoints must begin with https/],
    [{ ...TLS, 'etcd-ca': '@/none' }, /etcd-ca: cannot read .*none: ENOENT/],
    [{ ...TLS, 'etcd-ca': '@/folder' }, /etcd-ca: cannot read .*folder: it is not a regular file/],
    [{ ...TLS, 'etcd-ca': '@/password' }, /etcd-ca: .*password is not in PEM form/],
    [{ ...PLAIN, 'etcd-user': 'u', 'etcd-password-file': '@/empty' }, /the first line of .* is empty/],
  ])('refuses what does not belong together or cannot be read: %j', (values, message) => {
    expect(() => read(values)).toThrow(message);
  });

  it.each([
    ['store', 'files'],
    ['etcd-endpoints', 'etcd:2379'],
    ['etcd-endpoints', 'http://etcd'],
    ['etcd-endpoints', 'http://etcd:0'],
    ['etcd-endpoints', 'http://etcd:65536'],
    ['etcd-endpoints', 'http://etcd:2379/path'],
    ['etcd-endpoints', 'http://user:secret@etcd:2379'],
    ['etcd-endpoints', 'http://a:1,https://b:1'],
    ['etcd-endpoints', 'http://a:1,'],
    ['etcd-prefix', 'porthole/'],
    ['etcd-prefix', '/porthole'],
    ['etcd-prefix', '/'],
    ['etcd-prefix', '/a b/'],
    ['etcd-ca', 'relative'],
    ['member-address', 'host'],
    ['member-address', ':1'],
    ['member-address', '2001:db8::1:8444'],
  ])('refuses a value of another form: %s %s', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(`--${name}: "${value}"`);
  });
});
