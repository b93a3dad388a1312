import { MAINTAINER } from './control.ts';

/** A version in CHANGELOG.md. */
const HEADING = /^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$/;

/** Longest line of an entry; dpkg-parsechangelog has no limit, readers have. */
const WIDTH = 80;

/**
 * CHANGELOG.md in Debian's form; see deb-changelog(5).
 * @param date of what is not released yet
 */
export function debianChangelog(markdown: string, version: string, date: Date): string {
  const blocks = markdown
    .split(/^(?=## \[)/m)
    .filter((block) => HEADING.test(block.split('\n', 1)[0] as string));
  return blocks
    .map((block) => {
      const [, name = '', day] = HEADING.exec(block.split('\n', 1)[0] as string) ?? [];
      const time = day ? new Date(`${day}T00:00:00Z`) : date;
      const head = `porthole (${name === 'Unreleased' ? version : name}) unstable; urgency=medium`;
      return `${head}\n\n${entries(block)}\n\n -- ${MAINTAINER}  ${rfc2822(time)}\n`;
    })
    .join('\n');
}

function entries(block: string): string {
  const items = [...block.matchAll(/^- ([^\n]*(?:\n {2}\S[^\n]*)*)/gm)].map(([, text = '']) => text);
  return items.map((text) => wrapped(text.replaceAll(/\s+/g, ' '))).join('\n');
}

function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last !== '' && `    ${last} ${word}`.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return `  * ${lines.join('\n    ')}`;
}

/** Such as Sat, 28 Nov 2026 10:00:00 +0000. */
function rfc2822(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
