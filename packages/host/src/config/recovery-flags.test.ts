import { describe, expect, test as it } from 'vitest';
import { readRecovery } from './recovery-flags.ts';

const read = (...args: string[]) => readRecovery({ args, env: { PORTHOLE_DIR: '/var/tmp/none' } });

describe('portholed recover', () => {
  it('takes the newest good copy of the state directory in use', () => {
    expect(read()).toMatchObject({ from: null, withoutCopy: false, dryRun: false, json: false });
    expect(read()).toMatchObject({
      config: { stateDir: '/var/tmp/none', settings: { 'backup-folder': '' } },
    });
  });

  it('takes a copy, a folder, and what it is to print', () => {
    const words = ['--from', 'x.db', '--dry-run', '-f', 'json', '--state-dir', '/s', '--backup-folder', '/c'];
    expect(read(...words)).toMatchObject({
      ...{ from: 'x.db', dryRun: true, json: true },
      config: { stateDir: '/s', settings: { 'backup-folder': '/c' } },
    });
    expect(read('-h')).toEqual({ kind: 'help' });
  });

  it.each([
    [['--from', 'x', '--without-copy'], 'both --from and --without-copy'],
    [['-f', 'yaml'], '--format: "yaml" is not one of table, json'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['x.db'], "Unexpected argument 'x.db'"],
    [['--backup-folder', 'relative'], 'must be an absolute path'],
  ])('refuses %j', (words, sentence) => {
    expect(() => read(...words)).toThrow(sentence);
  });
});
