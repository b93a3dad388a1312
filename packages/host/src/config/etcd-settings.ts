import { readFileSync, statSync } from 'node:fs';
import { CodedError, messageOf } from '../base/coded-error.ts';
import type { SettingName, Settings } from './settings.ts';

/** How a host reaches etcd. */
export interface EtcdSettings {
  readonly endpoints: readonly string[];
  /** PEM texts. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly login?: { readonly user: string; readonly password: string };
}

/** Files of certificates and passwords are far smaller. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Settings that make no sense alone. */
const TOGETHER: readonly (readonly [SettingName, SettingName])[] = [
  ['etcd-cert', 'etcd-key'],
  ['etcd-key', 'etcd-cert'],
  ['etcd-user', 'etcd-password-file'],
  ['etcd-password-file', 'etcd-user'],
];

const TLS_FILES = ['etcd-ca', 'etcd-cert', 'etcd-key'] as const;

/**
 * Reads how this host reaches etcd, with the files that the settings name.
 * @throws CodedError `bad-settings`
 */
export function etcdSettings(settings: Settings): EtcdSettings {
  if (settings['etcd-endpoints'] === '') throw badSettings('with store: etcd, etcd-endpoints must be set');
  for (const [name, needed] of TOGETHER)
    if (settings[name] !== '' && settings[needed] === '')
      throw badSettings(`${name} is set: ${needed} must be set too`);
  const endpoints = settings['etcd-endpoints'].split(',');
  const isPlain = endpoints[0]?.startsWith('http:');
  const useless = TLS_FILES.find((name) => isPlain && settings[name] !== '');
  if (useless) throw badSettings(`${useless} is set: the URLs in etcd-endpoints must begin with https`);
  const login = loginOf(settings);
  return { endpoints, tls: tlsOf(settings), ...(login && { login }) };
}

function tlsOf(settings: Settings): EtcdSettings['tls'] {
  const [ca, cert, key] = TLS_FILES.map((name) =>
    settings[name] === '' ? undefined : pemOf(name, settings[name]),
  );
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function pemOf(name: SettingName, path: string): string {
  const text = textOf(name, path);
  if (!text.includes('-----BEGIN ')) throw badSettings(`${name}: ${path} is not in PEM form`);
  return text;
}

function loginOf(settings: Settings): EtcdSettings['login'] {
  const { 'etcd-user': user, 'etcd-password-file': path } = settings;
  if (user === '') return undefined;
  const [password = ''] = textOf('etcd-password-file', path).split(/\r?\n/, 1);
  if (password === '') throw badSettings(`etcd-password-file: the first line of ${path} is empty`);
  return { user, password };
}

function textOf(name: SettingName, path: string): string {
  try {
    // Another kind of file could keep the reader waiting.
    const stat = statSync(path);
    if (!stat.isFile()) throw new Error('it is not a regular file');
    if (stat.size > FILE_BYTES_MAX) throw new Error(`it is larger than ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw badSettings(`${name}: cannot read ${path}: ${messageOf(error)}`);
  }
}

/** The error for settings that the daemon cannot use. */
export function badSettings(message: string): CodedError {
  return new CodedError('bad-settings', 400, message);
}
