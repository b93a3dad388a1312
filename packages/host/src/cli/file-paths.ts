import { posix } from 'node:path';
import { UsageError } from './usage-error.ts';

/** A path inside an instance. */
export interface InstancePath {
  readonly instance: string;
  /** From the instance's root; a slash at its end is kept. */
  readonly path: string;
}

/** Reads `INSTANCE/PATH`. @throws UsageError when there is no path */
export function parseInstancePath(text: string): InstancePath {
  const slash = text.indexOf('/');
  if (slash <= 0)
    throw new UsageError(`Invalid path "${text}": it must be INSTANCE/PATH, as in c1/etc/hosts`);
  const path = text.slice(slash);
  return { instance: text.slice(0, slash), path: posix.normalize(path) };
}

/** As operators type it. */
export function textOf({ instance, path }: InstancePath): string {
  return instance + path;
}

/** The last part of a path inside an instance; empty for the root. */
export function nameOf({ path }: InstancePath): string {
  return posix.basename(path);
}

/** A path below another one. */
export function below({ instance, path }: InstancePath, name: string): InstancePath {
  return { instance, path: posix.join(path, name) };
}

/** The directories on the way to a path, the outermost first, without the root, which always exists. */
export function parentsOf(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === '/' || parent === '.' ? [] : [...parentsOf(parent), parent];
}
