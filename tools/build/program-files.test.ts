import { expect, test as it } from 'vitest';
import { builtName, withBuiltNames } from './program-files.ts';

it('a program is named by its file, a worker also by its folder', () => {
  expect(builtName('/src/native/mount-child.ts')).toBe('mount-child.cjs');
  expect(builtName('/src/lane/worker.ts')).toBe('lane-worker.cjs');
  expect(builtName('/src/build/files/init.sh')).toBe('init.sh');
});

it('references lead to the folder in which all files of the built form are', () => {
  const code =
    "f(new URL('../../package.json', import.meta.url), new URL('./worker.ts', import.meta.url));\n";
  expect(withBuiltNames(code, '/src/lane/lane.ts')).toBe(
    "f(new URL('./package.json', import.meta.url), new URL('./lane-worker.cjs', import.meta.url));\n",
  );
});
