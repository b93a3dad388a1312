import { readFileSync } from 'node:fs';

/** This package's version. */
export function clientVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
