import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import { addExamples } from '../help.ts';
import type { Open, Session } from '../session.ts';
import { pointAlias, upload } from './image-import.ts';

/** Makes an image. @returns the path of its file, inside `dir` */
export type Builder = (dir: string, onProgress: (percent: number, what: string) => void) => Promise<string>;

/** The builders, by the kind of image that they make. */
export type Builders = Readonly<Record<string, Builder>>;

interface BuildOptions {
  readonly alias?: string;
  readonly public?: boolean;
}

/** `image build`. */
export function addImageBuild(
  parent: Command,
  open: Open,
  builders: Readonly<Record<string, Builder>>,
): void {
  const command = parent
    .command('build')
    .summary('make an image from programs of this host')
    .description('Make an image from programs of this host, without any download, and import it.')
    .addArgument(parent.createArgument('<kind>', 'what to build').choices(Object.keys(builders)))
    .option('--alias <alias>', 'alias for it (default: the kind); another image that has it loses it')
    .option('--public', 'instances with security.devlxd.images may fetch it');
  addExamples(command, [
    ['porthole image build busybox', 'a small image of one static program, with the alias busybox'],
    ['porthole image build busybox --alias small --public', 'with another alias, and public'],
  ]);
  command.action(async (kind: string, options: BuildOptions) => {
    const session = open(command);
    const build = builders[kind] as Builder;
    const fingerprint = await withScratch(async (dir) => {
      session.progress.text(`Building ${kind}`);
      return takeIn(
        session,
        await build(dir, (percent, what) => session.progress.text(`${what}: ${percent}%`)),
        options.public === true,
      );
    });
    await pointAlias(session.client, options.alias ?? kind, fingerprint);
    session.print(`Image imported with fingerprint: ${fingerprint}`);
  });
}

/** Does some work in a new directory, which is removed afterwards. */
async function withScratch<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'porthole-build-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** To build the same image twice is not an error: the daemon has it already. @returns its fingerprint */
async function takeIn(session: Session, file: string, isPublic: boolean): Promise<string> {
  try {
    return await upload(session, { kind: 'unified', file }, { properties: {}, public: isPublic });
  } catch (error) {
    if (!(error instanceof ApiError) || error.message !== ALREADY_THERE) throw error;
    session.note('The image exists already');
    return fingerprintOf(file);
  }
}

/** LXD's text; images with the same bytes are the same. */
const ALREADY_THERE = 'Image with same fingerprint already exists';

async function fingerprintOf(file: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
