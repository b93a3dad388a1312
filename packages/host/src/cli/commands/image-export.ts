import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { path } from '../../client/host-client.ts';
import { filenameOf, readParts } from '../../client/multipart.ts';
import { download } from '../../client/transport.ts';
import { addExamples } from '../help.ts';
import { writing } from '../local-errors.ts';
import { findImage } from '../lookup.ts';
import type { Open } from '../session.ts';
import { UsageError } from '../usage-error.ts';

/** `image export`. */
export function addImageExport(parent: Command, open: Open): void {
  const command = parent
    .command('export')
    .summary('save the files of an image')
    .description(
      'Save the file of a unified image; `-` writes it to standard output. For a split image, FILE gets the metadata ' +
        'and FILE.root the root filesystem.',
    )
    .argument('<image>')
    .argument(
      '[file]',
      'name to save it under, as it is, or a directory; the names that the daemon gives when absent',
    );
  addExamples(command, [
    ['porthole image export busybox busybox.tar.gz', 'saves a copy'],
    ['porthole image export debian debian', 'for a split image: debian and debian.root'],
  ]);
  command.action(async (name: string, file: string | undefined) => {
    const session = open(command);
    const { fingerprint } = await findImage(session.client, name);
    const url = path`/1.0/images/${fingerprint}/export`;
    const response = await download(session.client.socketPath, { method: 'GET', path: url });
    const boundary = /^multipart\/.*boundary=([^;]+)/.exec(response.headers['content-type'] ?? '')?.[1];
    if (file === '-') {
      if (boundary === undefined) return pipeline(response, session.io.stdout, { end: false });
      response.destroy();
      throw new UsageError('The image has two files: give a name for them');
    }
    const folder = file !== undefined && (await isFolder(file)) ? file : '';
    const wanted = folder ? '' : (file ?? '');
    const saved: string[] = [];
    try {
      for await (const [name, data] of filesOf(response, boundary, wanted, fingerprint)) {
        const target = join(folder, name);
        const file = createWriteStream(target, { flags: 'wx' }).once('open', () => saved.push(target));
        await writing(target, pipeline(data, file));
      }
    } catch (error) {
      response.destroy();
      await Promise.all(saved.map((target) => rm(target, { force: true })));
      throw error;
    }
    session.note(`Image exported to ${saved.join(' and ')}`);
  });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

type File = readonly [target: string, data: AsyncIterable<Buffer>];

/**
 * The files of an answer, with the names to save them under.
 * @param wanted the name to use; empty: those that the daemon gives
 */
async function* filesOf(
  response: IncomingMessage,
  boundary: string | undefined,
  wanted: string,
  fingerprint: string,
): AsyncGenerator<File> {
  if (boundary === undefined) {
    const given = filenameOf(response.headers['content-disposition'] ?? '');
    yield [wanted || given || fingerprint, response];
    return;
  }
  const suffixes = ['', '.root'];
  for await (const { filename, data } of readParts(response, boundary)) {
    const suffix = suffixes.shift() ?? '';
    yield [wanted ? wanted + suffix : filename || fingerprint + suffix, data];
  }
}
