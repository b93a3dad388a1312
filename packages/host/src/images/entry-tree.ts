import { hostError } from '../core/host-errors.ts';
import { invalidArchive, shown } from './archive-error.ts';
import { isKnownDevice } from './device-nodes.ts';
import type { ImageLimits } from './image-limits.ts';
import type { EntryKind, TarEntry } from './tar-reader.ts';

/** Where an accepted entry belongs. */
export interface Placed {
  /** Without `./`, double slashes and a slash at either end; empty for the top. */
  readonly path: string;
  /** Of a hard link: the path of the entry that it links to. */
  readonly target: string;
  /** Folders above it that the archive has not listed before, outermost first. */
  readonly newParents: readonly string[];
  /** A well-known device node, which is not unpacked (nor are hard links to it). */
  readonly skipped: boolean;
}

type Known = Exclude<EntryKind, 'hardlink'> | 'skipped';

/** An entry as a tar archive, or the list of a squashfs, describes it. */
export type TreeEntry = Pick<TarEntry, 'name' | 'kind' | 'linkName' | 'uid' | 'gid' | 'major' | 'minor'>;

/**
 * The tree that an archive describes, entry by entry. Invariant: each path is made once, below folders only,
 * so no entry is written through a symbolic link or outside of the top.
 */
export class EntryTree {
  readonly #limits: ImageLimits;
  /** The folder that is the root filesystem: `rootfs`, or empty for the top. */
  readonly #root: string;
  readonly #known = new Map<string, Known>();
  #namesBytes = 0;

  constructor(limits: ImageLimits, root: string) {
    this.#limits = limits;
    this.#root = root;
  }

  /** Checks the next entry and says where it goes. @throws CodedError image-invalid, image-too-large */
  add(entry: TreeEntry): Placed {
    const path = this.#pathOf(entry.name);
    this.#checkOwner(entry);
    const newParents = this.#addParents(path, entry);
    const target = entry.kind === 'hardlink' ? this.#targetOf(entry) : '';
    const kind = entry.kind === 'hardlink' ? this.#known.get(target)! : this.#kindOf(path, entry);
    this.#put(path, kind, entry);
    return { path, target, newParents, skipped: kind === 'skipped' };
  }

  /** The kind of a path; undefined when the archive has not listed it. */
  kind(path: string): Known | undefined {
    return this.#known.get(path);
  }

  #pathOf(name: string): string {
    if (name.length > this.#limits.pathBytes) throw invalidArchive(`a name is too long: ${shown(name)}`);
    this.#namesBytes += name.length;
    if (this.#namesBytes > this.#limits.namesBytes)
      throw hostError('image-too-large', 'its names are too long');
    if (name === '' || name.includes('\0'))
      throw invalidArchive(`a name is empty or has a NUL: ${shown(name)}`);
    if (name.startsWith('/')) throw invalidArchive(`an absolute name: ${shown(name)}`);
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw invalidArchive(`a name with "..": ${shown(name)}`);
    return parts.join('/');
  }

  #checkOwner({ name, uid, gid }: TreeEntry): void {
    const most = this.#limits.ownerId;
    if (uid > most || gid > most) {
      throw invalidArchive(
        `${shown(name)} belongs to ${uid}:${gid}, and instances have ids up to ${most} only`,
      );
    }
  }

  #addParents(path: string, { name }: TreeEntry): readonly string[] {
    const added: string[] = [];
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      const known = this.#known.get(parent);
      if (known === 'directory') continue;
      if (known) throw invalidArchive(`${shown(name)} is below ${shown(parent)}, which is no directory`);
      this.#remember(parent, 'directory');
      added.push(parent);
    }
    return added;
  }

  #targetOf({ name, linkName }: TreeEntry): string {
    const target = this.#pathOf(linkName);
    const known = this.#known.get(target);
    if (!known || known === 'directory') {
      throw invalidArchive(`${shown(name)} is a hard link to ${shown(linkName)}, which is no file before it`);
    }
    if (this.#isInRoot(target) !== this.#isInRoot(this.#pathOf(name))) {
      throw invalidArchive(
        `${shown(name)} is a hard link to ${shown(linkName)}, across the root filesystem's edge`,
      );
    }
    return target;
  }

  #kindOf(path: string, { name, kind, linkName, major, minor }: TreeEntry): Known {
    if (kind === 'character' || kind === 'block') {
      const prefix = this.#root === '' ? '' : `${this.#root}/`;
      const inside = path.startsWith(prefix) ? path.slice(prefix.length) : '';
      if (kind === 'character' && isKnownDevice(inside, major, minor)) return 'skipped';
      throw invalidArchive(`${shown(name)} is a device node (${kind} ${major}:${minor})`);
    }
    const isLinkBad = linkName === '' || linkName.length > this.#limits.pathBytes || linkName.includes('\0');
    if (kind === 'symlink' && isLinkBad)
      throw invalidArchive(`${shown(name)} is a link to nothing, or too long`);
    return kind as Known;
  }

  #put(path: string, kind: Known, { name }: TreeEntry): void {
    const known = this.#known.get(path);
    const isTop = path === '' || path === this.#root;
    if (isTop && kind !== 'directory') throw invalidArchive(`${shown(name)} must be a directory`);
    if (known === undefined) this.#remember(path, kind);
    else if (known !== 'directory' || kind !== 'directory')
      throw invalidArchive(`${shown(name)} is there twice`);
  }

  #remember(path: string, kind: Known): void {
    if (this.#known.size >= this.#limits.entries) {
      throw hostError('image-too-large', `more than ${this.#limits.entries} files`);
    }
    this.#known.set(path, kind);
  }

  #isInRoot(path: string): boolean {
    return this.#root === '' || path.startsWith(`${this.#root}/`);
  }
}
