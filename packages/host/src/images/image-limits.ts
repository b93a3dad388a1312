/** Limits of an image. The files of an image are made by strangers, even if the operator is trusted. */
export interface ImageLimits {
  /** Bytes of the files as they were uploaded, all together. */
  readonly uploadedBytes: number;
  /** Bytes of one archive once decompressed, headers included: a small file may expand to any size. */
  readonly unpackedBytes: number;
  /** Files and folders of one archive, including parent folders that it does not list. */
  readonly entries: number;
  /**
   * Bytes of one name, or of the target of a link. Leaves room for the path of the folder it is unpacked to.
   */
  readonly pathBytes: number;
  /** Bytes of all names of one archive, which are kept in memory while it is checked. */
  readonly namesBytes: number;
  /** Bytes of metadata.yaml, which becomes part of the image's record. */
  readonly metadataBytes: number;
  /** Templates that metadata.yaml can name, and files of templates. */
  readonly templates: number;
  /** Bytes of the texts of all templates, which become part of the image's record. */
  readonly templateBytes: number;
  /** Bytes of the extended headers (long names, times, extended attributes) of one entry. */
  readonly headerBytes: number;
  /** Highest uid and gid: an instance has 65536 of each. */
  readonly ownerId: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Several times what the largest cloud images need. */
export const DEFAULT_LIMITS: ImageLimits = {
  uploadedBytes: 10 * GIB,
  unpackedBytes: 20 * GIB,
  entries: 1_000_000,
  pathBytes: 2 * KIB,
  namesBytes: 128 * MIB,
  metadataBytes: 256 * KIB,
  templates: 64,
  templateBytes: 256 * KIB,
  headerBytes: MIB,
  ownerId: 65_535,
};
