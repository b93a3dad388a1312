import { join } from 'node:path';
import { expect } from 'vitest';
import { type Finished, run } from '../../src/process/run.ts';
import { BIN, type TestDaemon } from './daemon.ts';

/** Runs `portholed recover` for the state directory of a daemon. */
export function recover(daemon: TestDaemon, ...args: string[]): Promise<Finished> {
  return run(join(BIN, 'portholed'), ['recover', '--state-dir', daemon.stateDir, ...args]);
}

/** Starts a daemon that may refuse to start. @returns its only line if it refuses; '' if it runs */
export async function tryStart(daemon: TestDaemon): Promise<string> {
  const before = daemon.log.length;
  try {
    await daemon.start();
    return '';
  } catch (error) {
    expect(String(error)).toContain('the daemon ended with 1');
    const said = daemon.log.slice(before);
    expect(said).toHaveLength(1);
    return said[0]?.msg ?? '';
  }
}
