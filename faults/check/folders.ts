import { join } from 'node:path';
import { namesIn } from './host.ts';
import { isAdopted, type Rows } from './rows.ts';

/** Files in a state directory that no row of the store needs, and files that a row needs and that are missing. */
export function checkFolders(rows: Rows, stateDir: string): string[] {
  const own = rows.instances.filter((instance) => !isAdopted(instance));
  const bases = new Set([...rows.images, ...own.map(({ config }) => config['volatile.base_image'] ?? '')]);
  const roots = namesIn(join(stateDir, 'rootfs'));
  return [
    ...differ(
      'folder',
      own.map(({ id }) => String(id)),
      namesIn(join(stateDir, 'instances')),
    ),
    ...differ('image', rows.images, namesIn(join(stateDir, 'images'))),
    ...roots
      .filter((name) => !isRoot(name) || !bases.has(name.slice(0, name.search(/[-.]/))))
      .map((name) => `rootfs/${name} is needed by nothing`),
    ...own.flatMap(({ id, name }) =>
      ['starting', 'mounts']
        .filter((entry) => namesIn(join(stateDir, 'instances', String(id))).includes(entry))
        .map((entry) => `${name} has a left ${entry}`),
    ),
  ];
}

function isRoot(name: string): boolean {
  return /^[0-9a-f]{64}(-\d+(\+\d+)?|\.templates)$/.test(name);
}

function differ(what: string, wanted: readonly string[], there: readonly string[]): string[] {
  return [
    ...wanted.filter((each) => !there.includes(each)).map((each) => `${what} ${each} is not there`),
    ...there.filter((each) => !wanted.includes(each)).map((each) => `${what} ${each} is in no record`),
  ];
}
