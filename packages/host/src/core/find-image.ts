import type { Image, State } from './entities.ts';
import { hostError } from './host-errors.ts';

/** Finds an image by an unambiguous prefix of its fingerprint. @throws image-not-found, image-ambiguous */
export function findImage(state: Pick<State, 'images'>, fingerprint: string): Image {
  const exact = state.images.get(fingerprint);
  if (exact) return exact;
  if (!/^[0-9a-f]{1,63}$/.test(fingerprint)) throw hostError('image-not-found');
  const found = [...state.images.values()].filter((image) => image.fingerprint.startsWith(fingerprint));
  if (found.length > 1) throw hostError('image-ambiguous');
  const [image] = found;
  if (!image) throw hostError('image-not-found');
  return image;
}
