// Each rule of the tidy test is shown a tree that breaks it: a rule that cannot fail holds nothing.
import { describe, expect, it } from 'vitest';
import { bannedCalls, bannedModules } from './banned.ts';
import { functionsOf } from './functions.ts';
import { importsOf } from './imports.ts';
import { barrels, deadFiles, defaultExports, markers, oddNames } from './leftovers.ts';
import { masked } from './mask.ts';
import { missingPaths } from './pages.ts';
import { forbiddenImports, importCycles, mutualFolders } from './rooms.ts';
import { sizeProblems } from './sizes.ts';
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

  it('that go round in a circle are shown as one', () => {
    const a = host('core/a.ts', "import './b.ts';");
    const b = host('core/b.ts', "import './c.ts';");
    const c = host('core/c.ts', "import './a.ts';");
    const [a2, b2, c2] = ['a', 'b', 'c'].map((name) => `packages/host/src/core/${name}.ts`);
    expect(importCycles([a, b, c])).toEqual([`${a2} > ${b2} > ${c2} > ${a2}`]);
    const typed = host('core/c.ts', "import type { A } from './a.ts';");
    expect(importCycles([a, b, typed])).toEqual([`${a2} > ${b2} > ${c2} > ${a2}`]);
  });

  it('of two folders that go both ways are shown, for types and for a folder in the other too', () => {
    const down = host('cli/a.ts', "import { b } from './commands/b.ts';");
    const up = host('cli/commands/b.ts', "import type { C } from '../c.ts';");
    const both = 'packages/host/src/cli and packages/host/src/cli/commands';
    expect(mutualFolders([down, up])).toEqual([both]);
    expect(mutualFolders([down, host('cli/commands/b.ts', '')])).toEqual([]);
  });
});

describe('sizes', () => {
  const lines = (count: number) => 'x;\n'.repeat(count);
  const measure = (text: string) => functionsOf(host('core/x.ts', text)).map((each) => each.lines);

  it('measure declarations, methods and arrows, whatever their return type', () => {
    expect(measure(`function f(a: { b: string }): Promise<{ c: string }> {\n${lines(2)}}`)).toEqual([4]);
    expect(measure(`class A { get(x = g()): x is { y: 1 } {\n${lines(1)}} }`)).toEqual([3]);
    expect(measure(`const h = async (a: string): Promise<void> => {\n${lines(3)}};`)).toEqual([5]);
  });

  it('do not take conditions, calls or types for functions', () => {
    expect(measure('if (a) {\n}\nfor await (const b of c) {\n}\nconst d = e ? f(g) : { h: 1 };')).toEqual([]);
    expect(measure('interface A { b(c: string): { d: string }; }\nconst e = (f: string) => f;')).toEqual([]);
  });

  it('are refused when too long, and when an exception is not exactly true', () => {
    const long = host('core/x.ts', lines(301));
    const short = host('core/y.ts', lines(3));
    const wide = host('core/z.ts', `function f() {\n${lines(70)}}\n`);
    expect(sizeProblems([long, short, wide], {})).toHaveLength(2);
    expect(sizeProblems([long], { [long.path]: { file: 301 } })).toEqual([]);
    expect(sizeProblems([long], { [long.path]: { file: 302 } })).toHaveLength(1);
    expect(sizeProblems([short], { [short.path]: { file: 301 }, 'gone.ts': {} })).toHaveLength(2);
  });
});

describe('banned calls', () => {
  it('are found in code and not in words about it', () => {
    expect(bannedCalls([host('instances/x.ts', 'const a = process.env.HOME ?? Date.now();')])).toHaveLength(
      2,
    );
    expect(bannedCalls([host('instances/x.ts', "// process.env\nconst a = 'Math.random';")])).toEqual([]);
    expect(bannedCalls([host('main.ts', 'process.env')])).toEqual([]);
  });

  it('are found as modules too', () => {
    expect(bannedModules([host('instances/x.ts', "import koffi from 'koffi';")])).toHaveLength(1);
    expect(bannedModules([host('native/x.ts', "import koffi from 'koffi';")])).toEqual([]);
  });
});

describe('leftovers', () => {
  it('are found: markers, lonely tests, dead files, barrels, default exports, odd names', () => {
    const mark = ['TO', 'DO'].join('');
    expect(markers([host('core/x.ts', `// ${mark}: later`)])).toHaveLength(1);
    expect(markers([host('core/x.test.ts', ['it', "only('x')"].join('.'))])).toHaveLength(1);
    expect(deadFiles([host('core/x.ts', ''), host('core/x.test.ts', "import './x.ts';")])).toHaveLength(1);
    expect(deadFiles([host('core/x.ts', ''), host('main.ts', "import './core/x.ts';")])).toEqual([]);
    expect(
      barrels([host('core/all.ts', "export { a } from './a.ts';\nexport * from './b.ts';\n")]),
    ).toHaveLength(1);
    expect(barrels([host('core/x.ts', "export { a } from './a.ts';\nexport const b = 1;\n")])).toEqual([]);
    expect(defaultExports([host('core/x.ts', ['export', 'default 1;'].join(' '))])).toHaveLength(1);
    expect(oddNames([host('core/camelCase.ts', ''), host('core/fine-name.test.ts', '')])).toHaveLength(1);
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
