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
    if (served.length === 0) return [code, 'missing', '', difference ?? ''];
    if (missing.length === 0 && !difference) return [code, 'same', methods, ''];
    return [code, 'different', served.join(' '), difference ?? ''];
  });
}

function commandRows(): string[][] {
  const verbs = [...theirs.keys()].filter((verb) => verb !== '').sort();
  return verbs.map((verb) => {
    const command = `\`${verb}\``;
    if (!ours.has(verb)) return [command, 'missing', VERBS_NOT_OURS[verb] ?? ''];
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

This page compares Porthole with LXD 5.0. "Same" means: the same request has the same effect and the same answer.
A path also counts as the same if it lacks only things that Porthole does not have at all, such as snapshots.
[LXD's client](lxc-client.md) has the details for \`lxc\`, [config keys](config-keys.md) lists the keys of instances and
profiles, [devices](devices.md) the types and options of devices, and [the guest API](guest-api.md) describes what
instances see.`;

/** Paths that LXD does not have. */
const OWN_PATHS = ['/1.0/backups'];

it('docs/compatibility.md has every path of the API and every command', async () => {
  const extra = Object.entries(VERBS_OF_OURS).map(([verb, why]) => [`\`${verb}\``, why]);
  const text = `${INTRO}

## Host API

This table has every path of LXD's API, and the methods that Porthole has. \`/1.0/containers\` is the same as
\`/1.0/instances\`, as in LXD. If a path or method is missing, the daemon answers with 501 and the sentence in the table,
or with 404.

${table(['path', 'in Porthole', 'methods', 'difference, or why it is missing'], apiRows())}

Paths that only Porthole has: ${OWN_PATHS.map((path) => `\`${path}\``).join(', ')}.

## Commands of porthole

This table has every command of \`lxc\`, and says whether \`porthole\` has it. If a command is missing, the commands
below it are missing too.

${table(['command', 'in porthole', 'difference, or why it is missing'], commandRows())}

Commands that only \`porthole\` has:

${table(['command', 'what LXD has'], extra)}

## What lxc says

LXD's client has every command of LXD. If Porthole lacks something that a command needs, the command fails with one
sentence and changes nothing. A test runs every command in these two tables. \`c1\` is a running instance, and \`c2\` a
stopped one.

The client itself refuses these commands, because Porthole does not announce the API extension
(\`The server is missing the required "warnings" API extension\`):

${table(['commands', 'extension'], sentences([BY_EXTENSION]))}

The daemon refuses these commands, or the client for another reason:

${table(['commands', 'sentence'], sentences([BY_DAEMON, BY_CLIENT]))}
`;
  await expect(text).toMatchFileSnapshot('../../../../docs/compatibility.md');
});

it('each row of the API that is not the same says how or why', () => {
  expect(apiRows().filter(([, here, , why]) => here !== 'same' && !/[a-z]{3}/.test(why ?? ''))).toEqual([]);
  expect(Object.keys(API_DIFFERENCES).filter((path) => !(path in LXD_API))).toEqual([]);
});

it('every path that Porthole serves is in the table of the API, is the older name of one, or is listed after it', () => {
  const known = Object.keys(LXD_API).map(plain);
  const beyond = [...SERVED.keys()].filter(
    (path) => !known.includes(path.replace(/containers|virtual-machines/, 'instances')),
  );
  expect(beyond).toEqual(OWN_PATHS);
});

it('each command that is not there has its reason', () => {
  expect(commandRows().filter(([, here, why]) => here !== 'same' && why === '')).toEqual([]);
});
