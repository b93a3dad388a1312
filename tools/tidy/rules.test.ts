// Each rule of the tidy test is shown a tree that breaks it: a rule that cannot fail holds nothing.
import { describe, expect, it } from 'vitest';
import { bannedCalls } from './calls.ts';
import { deadExports } from './dead-exports.ts';
import { importsOf } from './imports.ts';
import { deadFiles, longFiles, markers } from './leftovers.ts';
import { masked } from './mask.ts';
import { missingPaths } from './pages.ts';
import { forbiddenImports, mutualFolders } from './rooms.ts';
import { sourceOf } from './source.ts';
import { foreignIn } from './words.ts';

const host = (path: string, text: string) => sourceOf(`packages/host/src/${path}`, text);

describe('masking', () => {
  it('blanks comments, strings, templates and regular expressions, and keeps every line', () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is the code that is masked
    const text = "a('x{'); // {\nb(/[/{]\\/{/g); /* {\n */ c(`{${d({ e: '}' })}{`);\n";
    expect(masked(text)).toBe("a('  ');     \nb(/       /g);     \n    c(` ${d({ e: ' ' })} `);\n");
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: it is the code that is masked
  });

  it('takes a slash after a value for a division', () => {
    expect(masked("x = a / b / 'c';")).toBe("x = a / b / ' ';");
  });
});

describe('imports', () => {
  it('are found in all their forms, with their kind', () => {
    const text = `import type { A } from './a.ts';
import {
  b,
} from '../core/b.ts';
export type { C } from "./c.ts";
const d = await import('./d.ts');
new Worker(new URL('./e.ts', import.meta.url));
import 'node:net';
// import './f.ts'
const url = new URL('http://lxd/');`;
    expect(
      importsOf(host('instances/x.ts', text)).map(({ specifier, typeOnly }) => [specifier, typeOnly]),
    ).toEqual([
      ['./a.ts', true],
      ['../core/b.ts', false],
      ['./c.ts', true],
      ['./d.ts', false],
      ['./e.ts', false],
      ['node:net', false],
    ]);
  });

  it('are refused upwards, and for values where only types may pass', () => {
    const value = host('host/x.ts', "import { a } from '../model/a.ts';");
    const type = host('host/y.ts', "import type { A } from '../model/a.ts';");
    const up = host('core/z.ts', "import type { A } from '../store/a.ts';");
    expect(forbiddenImports([value, type, up])).toEqual([
      'packages/host/src/host/x.ts imports packages/host/src/model/a.ts',
      'packages/host/src/core/z.ts imports packages/host/src/store/a.ts',
    ]);
  });

  it('are refused between the packages and the tools', () => {
    const setup = sourceOf('setup/x.mjs', "import { a } from '../tools/a.ts';");
    expect(forbiddenImports([setup])).toEqual(['setup/x.mjs imports tools/a.ts']);
  });

  it('of two folders that go both ways are shown, for types and for a folder in the other too', () => {
    const down = host('cli/a.ts', "import { b } from './commands/b.ts';");
    const up = host('cli/commands/b.ts', "import type { C } from '../c.ts';");
    const both = 'packages/host/src/cli and packages/host/src/cli/commands';
    expect(mutualFolders([down, up])).toEqual([both]);
    expect(mutualFolders([down, host('cli/commands/b.ts', '')])).toEqual([]);
  });
});

describe('banned calls', () => {
  it('are found in code and not in words about it', () => {
    expect(bannedCalls([host('instances/x.ts', 'const a = Math.random() ?? Date.now();')])).toHaveLength(2);
    expect(bannedCalls([host('instances/x.ts', "// process.exit()\nconst a = 'Math.random';")])).toEqual([]);
    expect(bannedCalls([host('main.ts', 'process.exit(0)')])).toEqual([]);
  });
});

describe('leftovers', () => {
  it('are found: marks of unfinished work, dead files', () => {
    const mark = ['TO', 'DO'].join('');
    expect(markers([host('core/x.ts', `// ${mark}: later`)])).toHaveLength(1);
    expect(markers([host('core/x.test.ts', ['it', "todo('x')"].join('.'))])).toHaveLength(1);
    expect(deadFiles([host('core/x.ts', ''), host('core/x.test.ts', "import './x.ts';")])).toHaveLength(1);
    expect(deadFiles([host('core/x.ts', ''), host('main.ts', "import './core/x.ts';")])).toEqual([]);
  });

  it('are found: files that are too long, with every line of their comments', () => {
    const text = (lines: number) => `/**\n${' * x\n'.repeat(lines - 2)} */\n`;
    expect(longFiles([host('core/x.ts', text(300)), host('core/x.test.ts', text(400))])).toEqual([]);
    expect(longFiles([host('core/x.ts', text(301))])).toHaveLength(1);
  });

  it('are found: exports that no other file uses', () => {
    const text = 'export const a = 1;\nexport type B = 2;\nexport type C = 3;\nexport function d(c: C) {}\n';
    const user = host('core/y.ts', "import { a } from './x.ts';");
    const dead = (...users: (typeof user)[]) => deadExports([host('core/x.ts', text), ...users], () => false);
    const [b, d] = ['B', 'd'].map((name) => `packages/host/src/core/x.ts: ${name}`);
    expect(dead(user)).toEqual([b, d]);
    expect(dead(host('core/z.ts', "import * as x from './x.ts';"))).toEqual([]);
    expect(dead(user, host('core/z.ts', "import { type B, d as e } from './x.ts';"))).toEqual([]);
  });

  it('are found: paths and hosts of some machine', () => {
    const path = ['', 'work', 'main'].join('/');
    const mirror = ['https:', '', 'npm-mirror.example', 'x'].join('/');
    expect(foreignIn(`see ${path}/x`)).toHaveLength(1);
    expect(foreignIn(`registry=${mirror}`)).toHaveLength(1);
    expect(foreignIn('https://registry.npmjs.org/ and /var/lib/porthole')).toEqual([]);
  });
});

describe('paths in pages', () => {
  it('are missed when nothing is there: those of rooms, of folders, and links from the page on', () => {
    const text =
      'See `http/server.ts`, `http/gone.ts`, `tools/`, `tools/gone/`, [a](a.md), [b](gone.md#b), `/etc/x.sh`.';
    const there = ['packages/host/src/http/server.ts', 'tools/', 'docs/a.md'];
    expect(missingPaths('docs/page.md', text, (path) => there.includes(path))).toEqual([
      'docs/page.md: http/gone.ts',
      'docs/page.md: tools/gone/',
      'docs/page.md: docs/gone.md',
    ]);
  });
});
