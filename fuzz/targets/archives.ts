import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../packages/host/src/base/coded-error.ts';
import type { ImageDirectory, StagedImage } from '../../packages/host/src/images/image-directory.ts';
import { temporaryFolder } from '../../packages/host/src/images/testing/archives.ts';
import {
  openDirectory,
  receive,
  splitUpload,
  unifiedUpload,
} from '../../packages/host/src/images/testing/receive.ts';
import { type Case, Finding, mustHold, type Target, type TargetKind } from '../target.ts';
import { archiveBytes, metadataArchive } from './archive-cases.ts';

/** One in this many accepted images is also unpacked: that starts processes and waits for the disk. */
const UNPACKED_ONE_IN = 4;
/** Low enough for small cases to reach each limit. */
const LIMITS = { entries: 50, pathBytes: 300, namesBytes: 4000, headerBytes: 5000, unpackedBytes: 1_000_000 };
const OFFSET = 1_000_000;
const IDS = 65_536;
const SIGNAL = AbortSignal.timeout(2 ** 31 - 1);
/** Cases are a few KiB. */
const TIME_MAX_MS = 20_000;
const UNTOUCHED = 'as it was';
/** A case that begins with this is the root filesystem of a split image. */
const SQUASHFS = 'hsqs';

/** Uploaded images. */
export const ARCHIVES: TargetKind = {
  name: 'archives',
  shortCases: 40,
  open: () => ArchivesTarget.open(),
  make: async (random, corpus) => ({ bytes: await archiveBytes(random, corpus), cuts: [] }),
};

class ArchivesTarget implements Target {
  readonly #scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #images: ImageDirectory;
  readonly #metadata: Buffer;

  private constructor(
    scratch: Awaited<ReturnType<typeof temporaryFolder>>,
    images: ImageDirectory,
    metadata: Buffer,
  ) {
    this.#scratch = scratch;
    this.#images = images;
    this.#metadata = metadata;
  }

  static async open(): Promise<ArchivesTarget> {
    const scratch = await temporaryFolder();
    await writeFile(join(scratch.path, 'escaped'), UNTOUCHED);
    await mkdir(join(scratch.path, 'roots'), { mode: 0o711 });
    return new ArchivesTarget(
      scratch,
      await openDirectory(join(scratch.path, 'images'), LIMITS),
      await metadataArchive(),
    );
  }

  async run({ bytes }: Case): Promise<string> {
    const begin = performance.now();
    const outcome = await this.#receive(bytes);
    mustHold(performance.now() - begin < TIME_MAX_MS, 'an image takes too long');
    await this.#checkFolders();
    return outcome;
  }

  async #receive(bytes: Buffer): Promise<string> {
    const isSquashfs = bytes.subarray(0, SQUASHFS.length).toString('latin1') === SQUASHFS;
    const upload = isSquashfs
      ? splitUpload(['metadata', this.#metadata], ['rootfs', bytes])
      : unifiedUpload(bytes);
    const staged = await coded(receive(this.#images, upload));
    if (staged instanceof CodedError) return refusal(staged);
    const isUnpacked = createHash('sha256').update(bytes).digest()[0]! % UNPACKED_ONE_IN === 0;
    if (!isUnpacked) await this.#images.discard(staged);
    return isUnpacked ? this.#unpack(staged) : 'taken';
  }

  async #unpack(staged: StagedImage): Promise<string> {
    await this.#images.publish(staged);
    const target = join(this.#scratch.path, 'roots', 'root');
    const failed = await coded(
      this.#images.unpack(staged, target, { uid: OFFSET, gid: OFFSET }, () => {}, SIGNAL),
    );
    await this.#images.remove(staged.fingerprint);
    if (failed instanceof CodedError) {
      mustHold(failed.code !== 'runtime-failed', 'what was accepted is not unpacked', failed.message);
      return `unpack: ${refusal(failed)}`;
    }
    await checkTree(target);
    await rm(target, { recursive: true });
    return 'unpacked';
  }

  /** Checks that a case leaves no files and has changed nothing outside of its folders. */
  async #checkFolders(): Promise<void> {
    const { path } = this.#scratch;
    const names = async (folder: string) => (await readdir(join(path, folder))).sort().join();
    mustHold((await names('')) === 'escaped,images,roots', 'a file outside', await names(''));
    mustHold((await names('images')) === '', 'an image is left', await names('images'));
    mustHold((await names('roots')) === '', 'a root filesystem is left', await names('roots'));
    mustHold((await readFile(join(path, 'escaped'), 'utf8')) === UNTOUCHED, 'a file outside was written');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}

/** The result of a promise, or its `CodedError`. @throws Finding for any other error */
async function coded<T>(promise: Promise<T>): Promise<T | CodedError> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw new Finding(
      `an image ends in an error without a code: ${(error as Error).message}`,
      (error as Error).stack,
    );
  }
}

function refusal({ code, message }: CodedError): string {
  return `${code} ${message.replaceAll(/"(?:[^"\\]|\\.)*"|[^A-Za-z ]/g, '').slice(0, 48)}`;
}

/** Checks that all files have owners of the instance, and that there are no devices. */
async function checkTree(root: string): Promise<void> {
  for await (const path of treeAt(Buffer.from(root))) {
    const facts = await lstat(path);
    const isOwn = (id: number) => id >= OFFSET && id < OFFSET + IDS;
    mustHold(
      isOwn(facts.uid) && isOwn(facts.gid),
      'a file has an owner outside',
      `${path} ${facts.uid}:${facts.gid}`,
    );
    mustHold(!facts.isBlockDevice() && !facts.isCharacterDevice(), 'a device is unpacked', path.toString());
  }
}

/** A folder and all below it, through no links. Names are bytes in no particular charset. */
async function* treeAt(folder: Buffer): AsyncGenerator<Buffer> {
  yield folder;
  for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
    const path = Buffer.concat([folder, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) yield* treeAt(path);
    else yield path;
  }
}
