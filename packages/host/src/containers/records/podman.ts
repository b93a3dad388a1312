import { basename, dirname, join } from 'node:path';
import type { Container } from '../../core/container.ts';
import { recordOf } from '../../core/records.ts';
import type { Describe, OciSpec, OciState } from '../described.ts';
import { ImageSays } from '../image-says.ts';
import { wordsOf } from '../words.ts';
import { podmanImage } from './podman-image.ts';
import { isRootFile, isRootFolder, parsed, readRootFile } from './root-file.ts';
import { linesOf, textOf } from './texts.ts';

/** A list describes all containers: 4 MiB hold some thousands. */
const LIST_MAX_BYTES = 4 * 1024 * 1024;

/** The second list has the containers that do not outlive a reboot, such as those of `podman run --rm`. */
const LISTS = ['containers.json', 'volatile-containers.json'];

const NOTHING = { annotations: {}, env: [] };

const MANAGER = 'io.container.manager';

/** Annotations that Podman itself adds. */
const ADDED = /^io\.(podman|container|kubernetes\.cri-o)\.|^org\.opencontainers\.image\.stopSignal$/;

/**
 * Describes a container of Podman, from the lists in `DRIVER-containers` of Podman's storage. Labels are only in
 * Podman's database, which Porthole does not read. So the annotations are shown as labels.
 */
export const describePodman: Describe = async (state, spec) => {
  if (spec.annotations[MANAGER] !== 'libpod') return null;
  const folder = dirname(state.bundle);
  const place = dirname(folder);
  const isPlace = /^[a-z0-9]+-containers$/.test(basename(place)) && basename(folder) === state.id;
  const isOwn = isPlace && (await isRootFolder(folder)) && (await isRootFolder(place));
  const record: unknown = isOwn ? await listed(place, state.id) : null;
  const container = containerOf(state, spec, record, isOwn ? folder : '');
  const image = record === null ? null : await imageOf(place, textOf(record, 'image'));
  if (!image) return { container, words: {} };
  // With a user namespace the bundle's folder does not belong to root, and its owner could put another file there.
  const isRoots = await isRootFile(join(state.bundle, 'config.json'));
  const { annotations, env } = isRoots ? spec : NOTHING;
  return { container, words: wordsOf({ annotations, labels: {}, env }, image) };
};

/** The record of a container in the lists; null if it is in none of them. */
async function listed(place: string, id: string): Promise<unknown> {
  for (const name of LISTS) {
    const list = parsed(await readRootFile(join(place, name), LIST_MAX_BYTES));
    const record = Array.isArray(list) ? list.find((each) => textOf(each, 'id') === id) : undefined;
    if (record !== undefined) return record;
  }
  return null;
}

/** @param id empty for a container of a folder (`--rootfs`) */
async function imageOf(place: string, id: string): Promise<ImageSays | null> {
  if (id === '') return ImageSays.nothing;
  const texts = await podmanImage(place.replace(/-containers$/, '-images'), id);
  return texts && ImageSays.from(texts);
}

function containerOf({ id }: OciState, spec: OciSpec, found: unknown, record: string): Container {
  const metadata = parsed(textOf(found, 'metadata') || null);
  const digest = textOf(found, 'image');
  return {
    runtime: 'podman',
    id,
    name: textOf(metadata, 'name') || (linesOf((found as { names?: unknown } | null)?.names)[0] ?? ''),
    image: textOf(metadata, 'image-name'),
    digest: digest === '' ? '' : `sha256:${digest}`,
    labels: recordOf(Object.entries(spec.annotations).filter(([key]) => !ADDED.test(key))),
    owner: '',
    record,
  };
}
