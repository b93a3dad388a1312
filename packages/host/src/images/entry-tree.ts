import { hostError } from '../core/host-errors.ts';
import { invalidArchive, shown } from './archive-error.ts';
import { isKnownDevice } from './device-nodes.ts';
import type { ImageLimits } from './image-limits.ts';
import type { EntryKind, TarEntry } from './tar-reader.ts';

/** Where an accepted entry belongs. */
export interface Placed {
  /** Its place in the archive, from 0. */
  readonly ordinal: number;
  /** Without slashes at either end, `./` and double slashes; empty for the top. */
  readonly path: string;
  /** Of a hard link: the path of the entry that it links to. */
  readonly target: string;
  /** Folders above it that the archive has not listed before, outermost first. */
  readonly newParents: readonly string[];
  /** Nothing is made of it: a well-known device node, a hard link to one, or a hard link to itself. */
  readonly skipped: boolean;
  /** Whether it replaces an entry before it; a directory that is listed again replaces nothing. */
  readonly replaces: boolean;
}

type Known = Exclude<EntryKind, 'hardlink'> | 'skipped';

/** A path as the archive leaves it. Hard links have the ordinal of the file that they link to. */
interface Node {
  readonly kind: Known;
  readonly ordinal: number;
  /** Of a directory; null until it has any. */
  children: Map<string, Node> | null;
}

/** An entry as a tar archive, or the list of a squashfs, describes it. */
export type TreeEntry = Pick<TarEntry, 'name' | 'kind' | 'linkName' | 'uid' | 'gid' | 'major' | 'minor'>;

export interface TreeOptions {
  /** The folder that is the root filesystem: `rootfs`, or empty for the top. */
  readonly root: string;
  /** Whether a path may be there again, and the last entry counts. Not in a squashfs, which has no order. */
  readonly mayReplace: boolean;
}

/** A directory that the archive does not list. */
const IMPLIED = -1;

/**
 * The tree that an archive describes, entry by entry. Invariant: a path is made below folders only, so no
 * entry is written through a symbolic link or outside of the top. An entry that replaces a folder ends all
 * that was below it.
 */
export class EntryTree {
  readonly #limits: ImageLimits;
  readonly #options: TreeOptions;
  #top: Node = { kind: 'directory', ordinal: IMPLIED, children: null };
  #entries = 0;
  #implied = 0;
  #namesBytes = 0;

  constructor(limits: ImageLimits, options: TreeOptions) {
    this.#limits = limits;
    this.#options = options;
  }

  /** Checks the next entry and says where it goes. @throws CodedError image-invalid, image-too-large */
  add(entry: TreeEntry): Placed {
    const ordinal = this.#entries++;
    this.#checkCount();
    const parts = this.#partsOf(entry.name);
    const path = parts.join('/');
    this.#checkOwner(entry);
    const { folder, newParents } = this.#enter(parts, entry);
    const placed = { ordinal, path, newParents, target: '', skipped: false, replaces: false };
    if (entry.kind === 'hardlink') return { ...placed, ...this.#putLink(folder, path, entry) };
    const kind = this.#kindOf(path, entry);
    return { ...placed, ...this.#put(folder, path, { kind, ordinal, children: null }, entry) };
  }

  /** The kind of a path; undefined when the archive has not listed it. */
  kind(path: string): Known | undefined {
    return this.#find(path)?.kind;
  }

  /** Paths of all that there is at the end but folders that are not listed, each with its ordinal. */
  *paths(): Generator<readonly [path: string, ordinal: number]> {
    const waiting: [string, Node][] = [['', this.#top]];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [path, node] = next;
      if (node.ordinal !== IMPLIED) yield [path, node.ordinal];
      for (const [name, child] of node.children ?? []) waiting.push([path ? `${path}/${name}` : name, child]);
    }
  }

  #partsOf(name: string): string[] {
    if (name.length > this.#limits.pathBytes) throw invalidArchive(`a name is too long: ${shown(name)}`);
    this.#namesBytes += name.length;
    if (this.#namesBytes > this.#limits.namesBytes)
      throw hostError('image-too-large', 'its names are too long');
    if (name === '' || name.includes('\0'))
      throw invalidArchive(`a name is empty or has a NUL: ${shown(name)}`);
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw invalidArchive(`a name with "..": ${shown(name)}`);
    return parts;
  }

  #checkOwner({ name, uid, gid }: TreeEntry): void {
    const most = this.#limits.ownerId;
    if (uid > most || gid > most) {
      throw invalidArchive(
        `${shown(name)} belongs to ${uid}:${gid}, and instances have ids up to ${most} only`,
      );
    }
  }

  #checkCount(): void {
    if (this.#entries + this.#implied > this.#limits.entries) {
      throw hostError('image-too-large', `more than ${this.#limits.entries} files`);
    }
  }

  /** Goes to the folder that an entry is in, and makes folders on the way that are not there. */
  #enter(parts: readonly string[], { name }: TreeEntry): { folder: Node; newParents: readonly string[] } {
    const newParents: string[] = [];
    let folder = this.#top;
    for (const [at, part] of parts.slice(0, -1).entries()) {
      let next = folder.children?.get(part);
      if (next && next.kind !== 'directory') {
        const parent = shown(parts.slice(0, at + 1).join('/'));
        throw invalidArchive(`${shown(name)} is below ${parent}, which is no directory`);
      }
      if (!next) {
        next = { kind: 'directory', ordinal: IMPLIED, children: null };
        this.#implied++;
        this.#checkCount();
        childrenOf(folder).set(part, next);
        newParents.push(parts.slice(0, at + 1).join('/'));
      }
      folder = next;
    }
    return { folder, newParents };
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#top;
    for (const part of path === '' ? [] : path.split('/')) node = node?.children?.get(part);
    return node;
  }

  #putLink(folder: Node, path: string, entry: TreeEntry) {
    const { name, linkName } = entry;
    const target = this.#partsOf(linkName).join('/');
    const known = this.#find(target);
    if (!known || known.kind === 'directory') {
      throw invalidArchive(`${shown(name)} is a hard link to ${shown(linkName)}, which is no file before it`);
    }
    if (this.#isInRoot(target) !== this.#isInRoot(path)) {
      throw invalidArchive(
        `${shown(name)} is a hard link to ${shown(linkName)}, across the root filesystem's edge`,
      );
    }
    if (target.startsWith(`${path}/`)) {
      throw invalidArchive(`${shown(name)} is a hard link to ${shown(linkName)}, which it would replace`);
    }
    const { kind, ordinal } = known;
    return { ...this.#put(folder, path, { kind, ordinal, children: null }, entry), target };
  }

  #kindOf(path: string, { name, kind, linkName, major, minor }: TreeEntry): Known {
    if (kind === 'character' || kind === 'block') {
      const prefix = this.#options.root === '' ? '' : `${this.#options.root}/`;
      const inside = path.startsWith(prefix) ? path.slice(prefix.length) : '';
      if (kind === 'character' && isKnownDevice(inside, major, minor)) return 'skipped';
      throw invalidArchive(`${shown(name)} is a device node (${kind} ${major}:${minor})`);
    }
    const isLinkBad = linkName === '' || linkName.length > this.#limits.pathBytes || linkName.includes('\0');
    if (kind === 'symlink' && isLinkBad)
      throw invalidArchive(`${shown(name)} is a link to nothing, or too long`);
    return kind as Known;
  }

  /** Puts an entry into its folder. A device node that is not made replaces nothing. */
  #put(folder: Node, path: string, node: Node, { name }: TreeEntry) {
    const isTop = path === '' || path === this.#options.root;
    if (isTop && node.kind !== 'directory') throw invalidArchive(`${shown(name)} must be a directory`);
    if (path === '') {
      this.#top = { ...node, children: this.#top.children };
      return { skipped: false, replaces: false };
    }
    const last = path.slice(path.lastIndexOf('/') + 1);
    const before = folder.children?.get(last);
    const isLinked = before?.ordinal === node.ordinal;
    const skipped = node.kind === 'skipped' || isLinked;
    if (before && skipped) return { skipped, replaces: false };
    const isFolder = before?.kind === 'directory' && node.kind === 'directory';
    const replaces = before !== undefined && !isFolder;
    if (replaces && !this.#options.mayReplace) throw invalidArchive(`${shown(name)} is there twice`);
    childrenOf(folder).set(last, isFolder ? { ...node, children: before.children } : node);
    return { skipped, replaces };
  }

  #isInRoot(path: string): boolean {
    return this.#options.root === '' || path.startsWith(`${this.#options.root}/`);
  }
}

function childrenOf(folder: Node): Map<string, Node> {
  folder.children ??= new Map();
  return folder.children;
}
