import type { Alias, Image } from '../core/entities.ts';

export interface ImageInfo {
  readonly image: Image;
  readonly aliases: readonly Alias[];
}

export interface UploadOptions {
  readonly public: boolean;
  /** These override the properties in the image's metadata. */
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[] | null;
  /** The expected fingerprint; null if not given. */
  readonly fingerprint: string | null;
  /** Total bytes (Content-Length), for progress; null if unknown. */
  readonly size: number | null;
}

export interface ImageFields {
  readonly public: boolean;
  readonly autoUpdate: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly expiresAt: string;
}
