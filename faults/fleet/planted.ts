import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A defect that a copy of the daemon gets: the check must find it. */
export interface Planted {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** What the check must say. */
  readonly seen: RegExp;
  /** Arguments of a walk that brings it out. */
  readonly walk: readonly string[];
}

interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const FLEET = 'packages/host/src/fleet';
const STORE = 'packages/host/src/store/etcd';

const SEED_A = ['--seed', 'a'];
const PAUSE = 'await new Promise((resolve) => setTimeout(resolve, 80));';

export const PLANTED: readonly Planted[] = [
  {
    name: 'an event of another member comes twice',
    edits: [
      {
        file: `${FLEET}/elsewhere.ts`,
        from: 'events: events.map(',
        to: 'events: [...events, ...events].map(',
      },
    ],
    seen: /guest of g\d+: again, or too late/,
    walk: SEED_A,
  },
  {
    name: 'some revisions are skipped',
    edits: [
      {
        file: `${FLEET}/following.ts`,
        from: 'else await this.#follow(batch.changes, extra);',
        to: 'else if (batch.revision % 5 > 0) await this.#follow(batch.changes, extra);',
      },
    ],
    seen: /guest of g\d+: lost/,
    walk: SEED_A,
  },
  {
    name: 'two revisions that wait change places',
    edits: [
      {
        file: `${STORE}/following.ts`,
        from: 'this.#waiting.push(received);',
        to: 'this.#waiting.splice(Math.max(1, this.#waiting.length - 1), 0, received);',
      },
    ],
    // The host's state can be wrong before a guest hears of it.
    seen: /VIOLATION/,
    walk: SEED_A,
  },
  {
    name: 'a commit does not look whether something has changed',
    edits: [
      {
        file: `${STORE}/transaction.ts`,
        from: "for (const [key, modRevision] of base) compare.push({ key, is: '=', modRevision });",
        to: '',
      },
      {
        file: `${STORE}/commit.ts`,
        from: 'following.turns.add(turn);',
        to: `following.turns.add(turn); ${PAUSE}`,
      },
    ],
    seen: /a newer change was overwritten|two have counted/,
    walk: ['--quiet'],
  },
  {
    name: 'guests are not told of a gap',
    edits: [
      {
        file: `${FLEET}/take-over.ts`,
        from: "const broken = ids.map((instanceId): Change => ({ kind: 'break-history', instanceId }));",
        to: 'const broken: Change[] = [];',
      },
    ],
    seen: /guest of g\d+: lost/,
    walk: SEED_A,
  },
  {
    name: 'the answer does not wait for another member that is slow',
    edits: [
      {
        file: `${FLEET}/confirm.ts`,
        from: 'if (!commit.changes.some(concernsAll)) return;',
        to: 'if (commit.changes.length >= 0) return;',
      },
      {
        file: `${FLEET}/following.ts`,
        from: 'else await this.#follow(batch.changes, extra);',
        to: `else { ${PAUSE} await this.#follow(batch.changes, extra); }`,
      },
    ],
    seen: /showed profiles\/\w+ without/,
    walk: ['--quiet'],
  },
];

/** Copies the daemon's programs, with a defect. @param to a new folder @throws Error if the code has changed */
export function plant({ name, edits }: Planted, root: string, to: string): void {
  mkdirSync(to, { mode: 0o755 });
  for (const each of ['packages', 'bin', 'package.json'])
    cpSync(join(root, each), join(to, each), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
  for (const { file, from, to: defect } of edits) {
    const text = readFileSync(join(to, file), 'utf8');
    if (!text.includes(from)) throw new Error(`${file} has no place for the defect: ${name}`);
    writeFileSync(
      join(to, file),
      text.replace(from, () => defect),
    );
  }
}
