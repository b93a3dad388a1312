import { messageOf } from '../../base/coded-error.ts';
import { hostError } from '../../core/host-errors.ts';
import type { Described, OciState } from '../described.ts';
import type { Subject } from '../hook-request.ts';
import { ImageSays } from '../image-says.ts';
import type { Look } from '../looks/looks.ts';
import { wordsOf } from '../words.ts';
import { isMadeBundle } from './oci.ts';
import { describePodman, isOfPodman, podmanPaths } from './podman.ts';

/**
 * Describes a container that a user of the host has started. The words come from the annotations in the request. The
 * records say which of them are the image's. The user could change all records of the runtime, so this reads them with
 * the rights of the user, and they are the user's own word.
 * @param look with the rights of the user
 * @throws bad-request
 */
export async function describeOfUser(subject: Subject, uid: number, look: Look): Promise<Described> {
  if (subject.of !== 'oci') throw hostError('bad-request', 'LXC containers of users are not adopted');
  const { container, words } = await (isOfPodman(subject) ? fromStorage(subject, look) : plain(subject));
  return { container: { ...container, labels: {}, owner: String(uid) }, words };
}

async function fromStorage(state: OciState, look: Look): Promise<Described> {
  const spec = { annotations: state.annotations, env: [], mounts: [] };
  try {
    const found = await describePodman(state, { spec, first: await look(podmanPaths(state)), look });
    if (found !== null) return found;
  } catch (error) {
    throw hostError('bad-request', `the records of the container cannot be read: ${messageOf(error)}`);
  }
  throw hostError('bad-request', 'the container is not one of Podman');
}

/** Ignores the annotations if a program has made the bundle, because it may have copied them from the image. */
async function plain(state: OciState): Promise<Described> {
  const { id } = state;
  const annotations = isMadeBundle(state.bundle, state.annotations) ? {} : state.annotations;
  return {
    container: { runtime: 'oci', id, name: '', image: '', digest: '', labels: {}, owner: '', record: '' },
    words: wordsOf({ annotations, labels: {}, env: [] }, ImageSays.nothing),
  };
}
