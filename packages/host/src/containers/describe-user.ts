import { hostError } from '../core/host-errors.ts';
import type { Described } from './described.ts';
import type { Subject } from './hook-request.ts';
import { ImageSays } from './image-says.ts';
import { wordsOf } from './words.ts';

/**
 * Describes a container that a user of the host has started. The user could change all records of the runtime, so this
 * reads none of them. The words come from the annotations in the request.
 */
export function describeOfUser(subject: Subject, uid: number): Described {
  if (subject.of !== 'oci') throw hostError('bad-request', 'LXC containers of users are not adopted');
  const { id, annotations } = subject;
  const container = { id, name: '', image: '', digest: '', labels: {}, owner: String(uid), record: '' };
  const words = wordsOf({ annotations, labels: {}, env: [] }, ImageSays.nothing);
  const runtime = annotations['io.container.manager'] === 'libpod' ? 'podman' : 'oci';
  return { container: { runtime, ...container }, words };
}
