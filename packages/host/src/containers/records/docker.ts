import { dirname, join } from 'node:path';
import type { Container } from '../../core/container.ts';
import type { Describe, OciSpec, OciState } from '../described.ts';
import { ImageSays } from '../image-says.ts';
import { ownRecordOfTexts } from '../json.ts';
import { wordsOf } from '../words.ts';
import { dockerImage } from './docker-image.ts';
import { isRootFolder, readRootObject } from './root-file.ts';
import { linesOf, objectOf, textOf } from './texts.ts';

/** Files that Docker mounts into each container. With `--network container:` they belong to the other container. */
const OWN_FILES = /^(\/.+\/containers)\/[0-9a-f]{64}\/(?:hostname|hosts|resolv\.conf)$/;

/** Where Docker's containerd has the bundle of a container. */
const BUNDLE = /\/moby\/[0-9a-f]{64}\/?$/;

/** Describes a container of Docker, from `containers/ID/config.v2.json` in Docker's folder. */
export const describeDocker: Describe = async (state, spec) => {
  const folders = foldersOf(spec);
  if (folders.length === 0 && !BUNDLE.test(state.bundle)) return null;
  for (const folder of folders) {
    const found = await recordIn(folder, state);
    if (found) return described(state, spec, folder, found);
  }
  // A container of Docker without a record: its image is unknown, so no word is certain to be the operator's.
  return { container: containerOf(state, {}, ''), words: {} };
};

function foldersOf(spec: OciSpec): string[] {
  return [...new Set(spec.mounts.flatMap(({ source }) => OWN_FILES.exec(source)?.[1] ?? []))];
}

type DockerRecord = Readonly<Record<string, unknown>>;

async function recordIn(folder: string, { id }: OciState): Promise<DockerRecord | null> {
  if (!/^[0-9a-f]{64}$/.test(id) || !(await isRootFolder(join(folder, id)))) return null;
  const found = await readRootObject(join(folder, id, 'config.v2.json'));
  return textOf(found, 'ID') === id ? found : null;
}

async function described(state: OciState, spec: OciSpec, folder: string, record: DockerRecord) {
  const config = objectOf(record, 'Config');
  const texts = await dockerImage(dirname(folder), record);
  const image = texts && ImageSays.from(texts);
  const [labels, env] = image ? [ownRecordOfTexts(config['Labels']), linesOf(config['Env'])] : [{}, []];
  // Docker takes no annotations from images.
  const words = wordsOf({ annotations: spec.annotations, labels, env }, image ?? ImageSays.nothing);
  return { container: containerOf(state, record, join(folder, state.id)), words };
}

function containerOf({ id }: OciState, found: DockerRecord, record: string): Container {
  const config = objectOf(found, 'Config');
  return {
    runtime: 'docker',
    id,
    name: textOf(found, 'Name').replace(/^\//, ''),
    image: textOf(config, 'Image'),
    digest: textOf(found, 'Image'),
    labels: ownRecordOfTexts(config['Labels']),
    owner: '',
    record,
  };
}
