import { functionsOf } from './functions.ts';
import { isTest, type Source } from './source.ts';

/** A file that is longer is worth a second look: it mostly holds two things. */
export const FILE_LINES_MAX = 300;
/** A function that is longer does not fit on a screen. */
export const FUNCTION_LINES_MAX = 70;

/** Sizes above the limits, by file: of the file itself, of its longest function. The list only shrinks. */
export const EXCEPTIONS: Readonly<Record<string, { file?: number; function?: number }>> = {};

interface Sizes {
  readonly file: number;
  /** The longest function. */
  readonly function: number;
  readonly place: string;
}

/** Lines of a file and of its longest function. */
export function sizesOf(source: Source): Sizes {
  const longest = functionsOf(source).sort((one, other) => other.lines - one.lines)[0];
  return {
    file: source.text.trimEnd().split('\n').length,
    function: longest?.lines ?? 0,
    place: longest?.place ?? source.path,
  };
}

/** What is too long, and exceptions that are no longer exactly true. Tests are as long as their cases. */
export function sizeProblems(sources: readonly Source[], exceptions = EXCEPTIONS): string[] {
  const code = sources.filter(({ path }) => !isTest(path));
  const unknown = Object.keys(exceptions).filter((path) => !code.some((source) => source.path === path));
  return [
    ...unknown.map((path) => `${path} is gone: remove its exception`),
    ...code.flatMap((source) => {
      const sizes = sizesOf(source);
      const excepted = exceptions[source.path] ?? {};
      return [
        ...problem(source.path, sizes.file, FILE_LINES_MAX, excepted.file),
        ...problem(`${sizes.place} function`, sizes.function, FUNCTION_LINES_MAX, excepted.function),
      ];
    }),
  ];
}

function problem(name: string, lines: number, max: number, excepted: number | undefined): string[] {
  if (excepted === undefined) return lines > max ? [`${name}: ${lines} lines, at most ${max}`] : [];
  if (lines <= max) return [`${name}: ${lines} lines, remove its exception`];
  return lines === excepted ? [] : [`${name}: ${lines} lines, the exception says ${excepted}`];
}
