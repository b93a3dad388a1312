import { join } from 'node:path';
import { beforeAll, describe, expect, test as it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { type Help, type HelpTree, helpOfLxc, helpOfPorthole, program } from '../harness/client-help.ts';
import { BIN } from '../harness/daemon.ts';
import { LxcClient } from '../harness/lxc.ts';
import {
  ARGUMENTS,
  FLAGS_NOT_OURS,
  FLAGS_OF_OURS,
  VERBS_NOT_OURS,
  VERBS_OF_OURS,
} from '../tables/help-differences.ts';

let ours: HelpTree = new Map();
let theirs: HelpTree = new Map();

beforeAll(async () => {
  LxcClient.need();
  ours = helpOfPorthole();
  theirs = await helpOfLxc(ours);
});

const shared = () => [...theirs.keys()].filter((verb) => ours.has(verb));

/** For each shared verb the flags of one that the other lacks. */
function flagsBeyond(one: ReadonlyMap<string, Help>, other: ReadonlyMap<string, Help>): string[] {
  return shared().flatMap((verb) => {
    const known = other.get(verb)?.flags ?? [];
    return (one.get(verb)?.flags ?? [])
      .filter((flag) => !known.includes(flag))
      .map((flag) => `${verb} ${flag}`.trim());
  });
}

/** The left column of a table, sorted. */
const left = (table: Readonly<Record<string, string>>) => Object.keys(table).sort();

describe('the help of porthole and of lxc', () => {
  it('is the one that porthole prints', async () => {
    const { stdout } = await run(join(BIN, 'porthole'), ['--help']);
    expect(stdout).toMatch('Usage: porthole');
    expect(stdout.startsWith(program.helpInformation())).toBe(true);
  });

  it('has the same verbs, except those in the tables', () => {
    expect(shared().length).toBeGreaterThan(60);
    const missing = [...theirs.keys()].filter((verb) => !ours.has(verb));
    expect(missing.sort()).toEqual(left(VERBS_NOT_OURS));
    expect([...ours.keys()].filter((verb) => !theirs.has(verb)).sort()).toEqual(left(VERBS_OF_OURS));
  });

  it('has the same flags for them, except those in the tables', () => {
    expect(flagsBeyond(theirs, ours).sort()).toEqual(left(FLAGS_NOT_OURS));
    expect(flagsBeyond(ours, theirs).sort()).toEqual(left(FLAGS_OF_OURS));
  });

  it('has the same arguments for them, except those in the table', () => {
    const differing = shared().filter((verb) => ours.get(verb)?.shape !== theirs.get(verb)?.shape);
    expect(
      differing.map((verb) => `${verb}: ${theirs.get(verb)?.shape} / ${ours.get(verb)?.shape}`).sort(),
    ).toEqual(left(ARGUMENTS));
  });

  it('has the same aliases for them', () => {
    const names = (all: ReadonlyMap<string, Help>) => shared().map((verb) => [verb, all.get(verb)?.aliases]);
    expect(names(ours)).toEqual(names(theirs));
  });

  it('gives a reason for each difference', () => {
    const tables = [VERBS_NOT_OURS, VERBS_OF_OURS, FLAGS_NOT_OURS, FLAGS_OF_OURS, ARGUMENTS];
    for (const reason of tables.flatMap((table) => Object.values(table)))
      expect(reason).toMatch(/^[a-zLPS].{9,}[^.]$/);
  });
});
