import type { Command } from 'commander';
import type { HostClient } from '../../client/host-client.ts';
import { path } from '../../client/host-client.ts';
import type { StringMap } from '../../client/types.ts';
import type { ImageFiles } from '../../client/upload.ts';
import { uploadImage } from '../../client/upload.ts';
import type { ImageJson } from '../../wire/image.ts';
import { collectNames, parsePair } from '../arguments.ts';
import { addExamples } from '../help.ts';
import { templateWarnings } from '../image-text.ts';
import { findAlias } from '../lookup.ts';
import type { Open, Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

interface ImportOptions {
  readonly alias?: readonly string[];
  readonly public?: boolean;
}

/** `image import`. */
export function addImageImport(parent: Command, open: Open): void {
  const command = parent
    .command('import')
    .summary('import an image')
    .description(
      'Import an image: one tarball with metadata.yaml and rootfs/ in it, or a metadata tarball and a root ' +
        'filesystem. Arguments with an equals sign are properties, which override those of the metadata.',
    )
    .argument('<file>')
    .argument('[file|key=value...]', 'root filesystem of a split image, and properties')
    .option(
      '--alias <alias>',
      'alias for it; can be repeated; another image that has it loses it',
      collectNames,
    )
    .option('--public', 'instances with security.devlxd.images may fetch it');
  addExamples(command, [
    ['porthole image import debian.tar.xz --alias debian', 'one file'],
    ['porthole image import meta.tar.xz rootfs.tar.xz release=12', 'two files and a property'],
  ]);
  command.action(async (file: string, words: readonly string[], options: ImportOptions) => {
    const session = open(command);
    const { files, properties } = readWords(file, words);
    const fingerprint = await upload(session, files, { properties, public: options.public === true });
    for (const alias of options.alias ?? []) await pointAlias(session.client, alias, fingerprint);
    const image = await session.client.get<ImageJson>(path`/1.0/images/${fingerprint}`);
    for (const warning of templateWarnings(image)) session.note(warning);
    session.print(`Image imported with fingerprint: ${fingerprint}`);
  });
}

function readWords(file: string, words: readonly string[]): { files: ImageFiles; properties: StringMap } {
  const properties = Object.fromEntries(words.filter((word) => word.includes('=')).map(parsePair));
  const [rootfs, ...more] = words.filter((word) => !word.includes('='));
  if (more.length > 0) throw new UsageError('An image has one file or two');
  return {
    files: rootfs ? { kind: 'split', metadata: file, rootfs } : { kind: 'unified', file },
    properties,
  };
}

/** Uploads an image with a progress bar. @returns its fingerprint */
export async function upload(
  session: Session,
  files: ImageFiles,
  options: { readonly properties: StringMap; readonly public: boolean },
): Promise<string> {
  try {
    return await uploadImage(session.client, files, {
      ...options,
      onBytes: await session.progress.bytes('Uploading'),
    });
  } finally {
    session.progress.clear();
  }
}

/** Points an alias to an image, also if it pointed to another one before. */
export async function pointAlias(client: HostClient, name: string, target: string): Promise<void> {
  const existing = await findAlias(client, name);
  if (existing?.target === target) return;
  if (existing) await client.change('DELETE', path`/1.0/images/aliases/${name}`);
  await client.change('POST', '/1.0/images/aliases', {
    json: { name, target, description: existing?.description ?? '' },
  });
}
