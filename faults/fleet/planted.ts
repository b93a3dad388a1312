import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A defect that a copy of the daemon gets, so that the test shows that it sees such a defect. */
export interface Planted {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** What the check must say. */
  readonly seen: RegExp;
  /** One whose faults bring it out. */
  readonly seed: string;
}

const FLEET = 'packages/host/src/fleet';
const STORE = 'packages/host/src/store/etcd';

export const PLANTED: readonly Planted[] = [
  {
    name: 'an event of another member comes twice',
    file: `${FLEET}/elsewhere.ts`,
    from: 'events: events.map(',
    to: 'events: [...events, ...events].map(',
    seen: /guest of g\d+: again, or too late/,
    seed: 'a',
  },
  {
    name: 'some revisions are skipped',
    file: `${FLEET}/following.ts`,
    from: 'else await this.#follow(batch.changes, extra);',
    to: 'else if (batch.revision % 5 > 0) await this.#follow(batch.changes, extra);',
    seen: /guest of g\d+: lost/,
    seed: 'a',
  },
  {
    name: 'two revisions that wait change places',
    file: `${STORE}/following.ts`,
    from: 'this.#waiting.push(received);',
    to: 'this.#waiting.splice(Math.max(1, this.#waiting.length - 1), 0, received);',
    seen: /guest of g\d+: (lost before|this never happened)/,
    seed: 'a',
  },
  {
    name: 'a commit does not look whether something has changed',
    file: `${STORE}/transaction.ts`,
    from: "for (const [key, modRevision] of base) compare.push({ key, is: '=', modRevision });",
    to: '',
    seen: /a newer change was overwritten|two have counted/,
    seed: 'a',
  },
  {
    name: 'guests are not told of a gap',
    file: `${FLEET}/following.ts`,
    from: "const broken = ids.map((instanceId): Change => ({ kind: 'break-history', instanceId }));",
    to: 'const broken: Change[] = [];',
    seen: /guest of g\d+: lost/,
    seed: 'a',
  },
  {
    name: 'the answer does not wait for other members',
    file: `${FLEET}/confirm.ts`,
    from: 'if (!commit.changes.some(concernsAll)) return;',
    to: 'if (commit.changes.length >= 0) return;',
    seen: /showed profiles\/\w+ without/,
    seed: 'a',
  },
];

/** Copies the daemon's programs, with a defect. @param to a new folder @throws Error if the code has changed */
export function plant({ name, file, from, to: defect }: Planted, root: string, to: string): void {
  mkdirSync(to, { mode: 0o755 });
  for (const each of ['packages', 'bin', 'package.json'])
    cpSync(join(root, each), join(to, each), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
  const text = readFileSync(join(to, file), 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no place for the defect: ${name}`);
  writeFileSync(
    join(to, file),
    text.replace(from, () => defect),
  );
}
