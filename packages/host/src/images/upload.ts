import type { Readable } from 'node:stream';

/** An upload as it comes in; the streams are read in order, each to its end. */
export type Upload =
  | { readonly kind: 'unified'; readonly filename: string; readonly data: Readable }
  | { readonly kind: 'split'; readonly parts: AsyncIterable<UploadPart> };

export interface UploadPart {
  /** `metadata`, then `rootfs` (or `rootfs.img`, which is refused). */
  readonly name: string;
  readonly filename: string;
  readonly data: Readable;
}
