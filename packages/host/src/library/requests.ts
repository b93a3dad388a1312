import type { Alias, Image } from '../core/entities.ts';

export interface ImageInfo {
  readonly image: Image;
  readonly aliases: readonly Alias[];
}

export interface UploadOptions {
  readonly public: boolean;
  /** Override the metadata's properties. */
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[] | null;
  /** Expected fingerprint; null: none. */
  readonly fingerprint: string | null;
  /** Total bytes when known (Content-Length), for progress; null otherwise. */
  readonly size: number | null;
}

export interface ImageFields {
  readonly public: boolean;
  readonly autoUpdate: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly expiresAt: string;
}
