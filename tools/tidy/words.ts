import { filesBelow, readText } from './source.ts';

/** What tells of the machine that something was written on, and is of no use on any other. */
const FOREIGN: readonly RegExp[] = [
  /(^|[\s"'`(=:])\/(work|farm|home\/[a-z]+)\//m,
  /\bhttps?:\/\/(?!registry\.npmjs\.org)[\w.-]*(registry|mirror|artifact|nexus|verdaccio|proxy)[\w.-]*/i,
  /\bhttps?:\/\/[\w.-]+\.(internal|corp|lan|local)\b/i,
  /"resolved":\s*"https?:\/\/(?!registry\.npmjs\.org\/)/,
];

/** This file spells the words out. */
const SELF = 'tools/tidy/words.ts';

/** Files of the checkout that speak of some machine, with what they say. */
export function foreignWords(): string[] {
  return filesBelow('')
    .filter((path) => path !== SELF && !/\.(png|gz|xz|squashfs)$/.test(path))
    .flatMap((path) => foreignIn(readText(path)).map((found) => `${path}: ${found}`));
}

/** The first match of each rule in a text. */
export function foreignIn(text: string): string[] {
  return FOREIGN.flatMap((pattern) => pattern.exec(text)?.[0].trim() ?? []);
}
