import { execFileSync } from 'node:child_process';
import { ROOT } from '../tidy/source.ts';

/**
 * The time that all files of the packages get, so that two builds of one commit are the same: SOURCE_DATE_EPOCH, else
 * the time of the last commit.
 */
export function sourceDate(env: NodeJS.ProcessEnv = process.env): Date {
  const seconds = env['SOURCE_DATE_EPOCH'] ?? lastCommit();
  if (!/^\d+$/.test(seconds)) throw new Error(`SOURCE_DATE_EPOCH is no time in seconds: ${seconds}`);
  return new Date(Number(seconds) * 1000);
}

function lastCommit(): string {
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    throw new Error('this is no git checkout: set SOURCE_DATE_EPOCH to the time of the release, in seconds');
  }
}

/** For manual pages, such as 2026-11-28. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
