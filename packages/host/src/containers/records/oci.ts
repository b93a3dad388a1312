import { join } from 'node:path';
import type { Describe, Described, OciSpec, OciState } from '../described.ts';
import { ImageSays } from '../image-says.ts';
import { ownRecordOfTexts } from '../json.ts';
import { wordsOf } from '../words.ts';
import { isRootFile, isRootFolder } from './root-file.ts';

/** Paths of bundles that containerd, CRI-O and similar programs make. Porthole cannot read their images. */
const MADE = /\/io\.containerd\.[^/]*\/|\/[a-z0-9]+-containers\/[^/]+\/userdata\/?$/;
const MANAGER = 'io.container.manager';

/** Where runc and crun keep the state of a container until its removal. */
const STATES = ['/run/runc', '/run/crun'];

/** Describes a container that root has started with runc or crun. The words are in its annotations and environment. */
export const describeOci: Describe = async (state, spec) => ({
  container: {
    runtime: 'oci',
    id: state.id,
    name: state.id,
    image: '',
    digest: '',
    labels: ownRecordOfTexts(spec.annotations),
    owner: '',
    record: await recordOf(state, spec),
  },
  words: await words(state, spec),
});

async function words(state: OciState, spec: OciSpec): Promise<Described['words']> {
  const { annotations, env } = spec;
  const isOwn = !isMade(state, spec) && (await isRoots(state));
  return wordsOf(
    isOwn ? { annotations, labels: {}, env } : { annotations: {}, labels: {}, env: [] },
    ImageSays.nothing,
  );
}

function isMade({ bundle }: OciState, { annotations }: OciSpec): boolean {
  return MADE.test(bundle) || annotations[MANAGER] !== undefined;
}

async function isRoots({ bundle }: OciState): Promise<boolean> {
  return (await isRootFolder(bundle)) && (await isRootFile(join(bundle, 'config.json')));
}

/** A bundle that an operator has made stays when its container is removed, so it cannot be the record. */
async function recordOf(state: OciState, spec: OciSpec): Promise<string> {
  if (isMade(state, spec)) return state.bundle;
  if (/^\.*$|\//.test(state.id)) return '';
  for (const folder of STATES) {
    const record = join(folder, state.id);
    if (await isRootFolder(record)) return record;
  }
  return '';
}
