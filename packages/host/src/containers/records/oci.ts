import { join } from 'node:path';
import { specOf } from '../bundle.ts';
import type { Describe, Described, OciSpec, OciState, Records } from '../described.ts';
import { ImageSays } from '../image-says.ts';
import { ownRecordOfTexts } from '../json.ts';
import type { Looked } from '../looks/looked.ts';
import { wordsOf } from '../words.ts';

/** Paths of bundles that containerd, CRI-O and similar programs make. Porthole cannot read their images. */
const MADE = /\/io\.containerd\.[^/]*\/|\/[a-z0-9]+-containers\/[^/]+\/userdata\/?$/;
const MANAGER = 'io.container.manager';

/** Where runc and crun keep the state of a container until its removal. */
const STATES = ['/run/runc', '/run/crun'];

/** The paths that describe a container of a plain runtime. */
export function ociPaths(state: OciState): { folders: string[] } {
  return { folders: [state.bundle, ...statesOf(state)] };
}

function statesOf({ id }: OciState): string[] {
  return /^\.*$|\//.test(id) ? [] : STATES.map((folder) => join(folder, id));
}

/** Describes a container that root has started with runc or crun. The words are in its annotations and environment. */
export const describeOci: Describe = async (state, records) => ({
  container: {
    runtime: 'oci',
    id: state.id,
    name: state.id,
    image: '',
    digest: '',
    labels: ownRecordOfTexts(records.spec.annotations),
    owner: '',
    record: recordOf(state, records),
  },
  words: words(state, records),
});

function words(state: OciState, { spec, first }: Records): Described['words'] {
  const { annotations, env } = spec;
  const isOwn = !isMade(state, spec) && isRoots(state, first);
  return wordsOf(
    isOwn ? { annotations, labels: {}, env } : { annotations: {}, labels: {}, env: [] },
    ImageSays.nothing,
  );
}

function isMade({ bundle }: OciState, { annotations }: OciSpec): boolean {
  return isMadeBundle(bundle, annotations);
}

/** Whether a program has made a bundle, perhaps from an image. */
export function isMadeBundle(bundle: string, annotations: OciSpec['annotations']): boolean {
  return MADE.test(bundle) || annotations[MANAGER] !== undefined;
}

function isRoots({ bundle }: OciState, first: Looked): boolean {
  return first.isOwnFolder(bundle) && first.isOwnFile(specOf(bundle));
}

/** A bundle that an operator has made stays when its container is removed, so it cannot be the record. */
function recordOf(state: OciState, { spec, first }: Records): string {
  if (isMade(state, spec)) return state.bundle;
  return statesOf(state).find((record) => first.isOwnFolder(record)) ?? '';
}
