import { type HostClient, path } from '../../packages/host/src/client/host-client.ts';
import { uploadImage } from '../../packages/host/src/client/upload.ts';
import { KEY, VALUE } from './peer.ts';

/** Requests for Porthole and LXD alike, in the host API that they share. */

/** Uploads a public image and gives it an alias. @returns its fingerprint */
export async function takeImage(client: HostClient, file: string, alias: string): Promise<string> {
  const fingerprint = await uploadImage(client, { kind: 'unified', file }, { public: true, properties: {} });
  await client.change('POST', '/1.0/images/aliases', { json: { name: alias, target: fingerprint } });
  return fingerprint;
}

/** Config and devices that an instance has in addition to those of all. */
interface Extras {
  readonly config?: Readonly<Record<string, string>>;
  readonly devices?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * Creates and starts an instance of the busybox image, with the benchmark's key.
 * @returns the host pid of its init
 */
export async function launch(client: HostClient, name: string, extras: Extras = {}): Promise<number> {
  const config = { [KEY]: VALUE, 'security.devlxd.images': 'true', ...extras.config };
  const source = { type: 'image', alias: 'busybox' };
  const json = { name, source, config, devices: extras.devices ?? {} };
  await client.change('POST', '/1.0/instances', { json });
  await setState(client, name, 'start');
  return (await client.get<{ pid: number }>(path`/1.0/instances/${name}/state`)).pid;
}

/** Stops an instance by force, and deletes it. */
export async function remove(client: HostClient, name: string): Promise<void> {
  await setState(client, name, 'stop');
  await client.change('DELETE', path`/1.0/instances/${name}`);
}

function setState(client: HostClient, name: string, action: string) {
  const json = { action, timeout: 30, force: true };
  return client.change('PUT', path`/1.0/instances/${name}/state`, { json });
}
