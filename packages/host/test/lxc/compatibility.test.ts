import { beforeAll, expect, test as it } from 'vitest';
import { servedRoutes } from '../../src/host/routes.ts';
import { unservedError } from '../../src/host/unserved.ts';
import { type HelpTree, helpOfLxc, helpOfPorthole } from '../harness/client-help.ts';
import { LxcClient } from '../harness/lxc.ts';
import { API_DIFFERENCES } from '../tables/api-differences.ts';
import { ARGUMENTS, FLAGS_NOT_OURS, VERBS_NOT_OURS, VERBS_OF_OURS } from '../tables/help-differences.ts';
import { LXD_API } from '../tables/lxd-api.ts';
import { BY_CLIENT, BY_DAEMON, BY_EXTENSION } from '../tables/out-of-scope.ts';

let ours: HelpTree = new Map();
let theirs: HelpTree = new Map();

beforeAll(async () => {
  LxcClient.need();
  ours = helpOfPorthole();
  theirs = await helpOfLxc(ours);
});

/** Methods by path; names of parameters do not count. */
const SERVED = new Map<string, string[]>();
for (const route of servedRoutes()) {
  const [method = '', path = ''] = route.split(' ');
  SERVED.set(plain(path), [...(SERVED.get(plain(path)) ?? []), method]);
}

function plain(path: string): string {
  return path.replace('/logs/lxc.log', '/logs/:').replaceAll(/:\w+/g, ':');
}

const table = (heads: readonly string[], rows: readonly (readonly string[])[]) => {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
};

function apiRows(): string[][] {
  return Object.entries(LXD_API).map(([path, methods]) => {
    const served = SERVED.get(plain(path)) ?? [];
    const difference = API_DIFFERENCES[path] ?? unservedError(path)?.message;
    const missing = methods.split(' ').filter((method) => !served.includes(method));
    const code = `\`${path}\``;
    if (served.length === 0) return [code, 'not there', difference ?? ''];
    if (missing.length === 0 && !difference) return [code, 'same', methods];
    return [code, 'different', `${served.join(' ')}: ${difference ?? ''}`];
  });
}

function commandRows(): string[][] {
  const verbs = [...theirs.keys()].filter((verb) => verb !== '').sort();
  return verbs.map((verb) => {
    const command = `\`${verb}\``;
    if (!ours.has(verb)) return [command, 'not there', VERBS_NOT_OURS[verb] ?? ''];
    const flags = Object.entries(FLAGS_NOT_OURS).filter(
      ([flag]) => flag.startsWith(`${verb} -`) && !flag.slice(verb.length + 1).includes(' '),
    );
    const shapes = Object.entries(ARGUMENTS).filter(
      ([shape, why]) => shape.startsWith(`${verb}: `) && !why.endsWith('both take the same'),
    );
    const how = [
      ...flags.map(([flag, why]) => `no \`${flag.slice(verb.length + 1)}\`: ${why}`),
      ...shapes.map(([, why]) => `arguments: ${why}`),
    ];
    return [command, how.length === 0 ? 'same' : 'different', how.join('; ')];
  });
}

const sentences = (tables: readonly Readonly<Record<string, readonly string[]>>[]) =>
  tables.flatMap((each) =>
    Object.entries(each).map(([sentence, commands]) => [
      commands.map((command) => `\`${command}\``).join(', '),
      sentence,
    ]),
  );

const INTRO = `<!-- Made by packages/host/test/lxc/compatibility.test.ts from the tables in packages/host/test/tables: change
     those, then run npm run test:lxc -- -t compatibility -u -->

# Compatibility with LXD

This page compares Porthole with LXD 5.0. "Same" means: the same requests have the same effects and answers, as far as
Porthole has the things that they are about. [LXD's client](lxc-client.md) has the details for the stock \`lxc\`;
[config keys](config-keys.md) has the keys of instances, and [the guest API](guest-api.md) what instances see.`;

it('docs/compatibility.md has every path of the API and every command', async () => {
  const extra = Object.entries(VERBS_OF_OURS).map(([verb, why]) => [`\`${verb}\``, why]);
  const text = `${INTRO}

## Host API

Every path of LXD's API. \`/1.0/containers\` is the same as \`/1.0/instances\`, as in LXD. A path or method that is not
there is answered with 501 and the sentence in the table, or with 404.

${table(['path', 'here', 'how, or why not'], apiRows())}

## Commands of porthole

Every command of \`lxc\`, and whether \`porthole\` has it. A command that is not there has no commands below it either.

${table(['command', 'here', 'how, or why not'], commandRows())}

Commands that only \`porthole\` has:

${table(['command', 'why'], extra)}

## What lxc says

The stock client has every command of LXD. If Porthole lacks what a command needs, the command fails with one sentence
and changes nothing. A test runs every command of these tables. \`c1\` is a running instance, \`c2\` a stopped one.

The client itself refuses these, because Porthole does not announce the extension of the API
(\`The server is missing the required "warnings" API extension\`):

${table(['commands', 'extension'], sentences([BY_EXTENSION]))}

The daemon, or the client for a reason of its own, refuses these:

${table(['commands', 'sentence'], sentences([BY_DAEMON, BY_CLIENT]))}
`;
  await expect(text).toMatchFileSnapshot('../../../../docs/compatibility.md');
});

it('each row of the API that is not the same says how or why', () => {
  expect(apiRows().filter(([, here, why]) => here !== 'same' && !/[a-z]{3}/.test(why ?? ''))).toEqual([]);
  expect(Object.keys(API_DIFFERENCES).filter((path) => !(path in LXD_API))).toEqual([]);
});

it('every path that Porthole serves is in the table of the API, or is the older name of one', () => {
  const known = Object.keys(LXD_API).map(plain);
  const beyond = [...SERVED.keys()].filter(
    (path) => !known.includes(path.replace(/containers|virtual-machines/, 'instances')),
  );
  expect(beyond).toEqual([]);
});

it('each command that is not there has its reason', () => {
  expect(commandRows().filter(([, here, why]) => here !== 'same' && why === '')).toEqual([]);
});
