import { readFile } from 'node:fs/promises';
import { messageOf } from '../base/coded-error.ts';
import type { Settings } from '../config/settings.ts';
import { hostError } from '../core/host-errors.ts';
import type { EtcdOptions } from '../etcd/client.ts';

/** How etcd is reached, with the contents of the files that the settings name. @throws etcd-settings */
export async function etcdOptions(settings: Settings): Promise<EtcdOptions> {
  const endpoints = settings['etcd-endpoints'].split(',').filter((url) => url !== '');
  if (endpoints.length === 0) throw hostError('etcd-settings', 'etcd-endpoints is empty');
  together(settings, 'etcd-cert', 'etcd-key');
  together(settings, 'etcd-user', 'etcd-password-file');
  const [ca, cert, key, password] = await Promise.all(
    (['etcd-ca', 'etcd-cert', 'etcd-key', 'etcd-password-file'] as const).map((name) =>
      contentOf(settings, name),
    ),
  );
  const user = settings['etcd-user'];
  return {
    endpoints,
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    ...(user !== '' && { login: { user, password: (password ?? '').replace(/\r?\n$/, '') } }),
  };
}

function together(settings: Settings, one: FileOrUser, other: FileOrUser): void {
  const [there, missing] = settings[one] === '' ? [other, one] : [one, other];
  if (settings[there] !== '' && settings[missing] === '')
    throw hostError('etcd-settings', `${there} needs ${missing}`);
}

type FileOrUser = 'etcd-ca' | 'etcd-cert' | 'etcd-key' | 'etcd-user' | 'etcd-password-file';

async function contentOf(settings: Settings, name: FileOrUser): Promise<string | undefined> {
  const path = settings[name];
  if (path === '') return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw hostError('etcd-settings', `${name} cannot be read: ${messageOf(error)}`);
  }
}
