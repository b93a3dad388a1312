import { merge } from '../base/merge.ts';
import type { Image } from '../core/entities.ts';
import { parseImageFields, parseImagePatch } from '../wire/image.ts';
import {
  type Answer,
  type Call,
  done,
  type Edge,
  ifMatch,
  param,
  recursionOf,
  started,
  sync,
  urlOf,
} from './call.ts';
import { imageEtag, preconditionOf, stillSame } from './etag.ts';
import { parseFilter } from './filter.ts';
import { imageJson } from './image-json.ts';

const COLLECTION = '/1.0/images';

/** GET /1.0/images. */
export function listImages({ backend }: Edge, call: Call): Answer {
  const passes = parseFilter(call.query.get('filter') ?? '');
  const images = backend.images.list().map(imageJson).filter(passes);
  return sync(
    recursionOf(call) > 0 ? images : images.map(({ fingerprint }) => urlOf(COLLECTION, fingerprint)),
  );
}

/** GET /1.0/images/FINGERPRINT; an unambiguous prefix will do, here and below. */
export function getImage({ backend }: Edge, call: Call): Answer {
  const info = backend.images.get(param(call, 'fingerprint'));
  return sync(imageJson(info), imageEtag(info.image));
}

/** PUT /1.0/images/FINGERPRINT. */
export async function updateImage({ backend }: Edge, call: Call): Promise<Answer> {
  const { auto_update: autoUpdate, expires_at, profiles, ...fields } = parseImageFields(await call.json());
  const { image } = backend.images.get(param(call, 'fingerprint'));
  const check = preconditionOf(ifMatch(call), imageEtag);
  check(image);
  const kept = { profiles: profiles ?? image.profiles, expiresAt: expires_at ?? image.expiresAt };
  await backend.images.update(image.fingerprint, { ...fields, autoUpdate, ...kept }, call.by, check);
  return done();
}

/** PATCH /1.0/images/FINGERPRINT: merges; only PATCH can set `cached`. */
export async function patchImage({ backend }: Edge, call: Call): Promise<Answer> {
  const { cached, ...part } = parseImagePatch(await call.json());
  const { image } = backend.images.get(param(call, 'fingerprint'));
  const check = stillSame(image, preconditionOf(ifMatch(call), imageEtag));
  check(image);
  if (Object.keys(part).length > 0) {
    await backend.images.update(image.fingerprint, mergedImage(image, part), call.by, check);
  }
  if (cached !== undefined) await backend.images.setCached(image.fingerprint, cached, call.by);
  return done();
}

function mergedImage(image: Image, part: Omit<ReturnType<typeof parseImagePatch>, 'cached'>) {
  return {
    public: part.public ?? image.public,
    autoUpdate: part.auto_update ?? image.autoUpdate,
    properties: merge(image.properties, part.properties),
    profiles: part.profiles ?? image.profiles,
    expiresAt: part.expires_at ?? image.expiresAt,
  };
}

/** DELETE /1.0/images/FINGERPRINT. */
export function deleteImage({ backend }: Edge, call: Call): Answer {
  const { image } = backend.images.get(param(call, 'fingerprint'));
  return started(backend.images.delete(image.fingerprint, call.by));
}
