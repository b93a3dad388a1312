import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runIn } from './testing/fake-io.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-test-setup-'));
  file = join(folder, 'daemon.json');
});
afterEach(() => rmSync(folder, { recursive: true }));
const docker = (...words: string[]) => runIn(folder, ['setup', 'docker', '--config', file, ...words]);

describe('porthole setup', () => {
  it('writes its own place and state directory, and says what to type next', async () => {
    expect(await docker('--required')).toEqual({
      code: 0,
      stdout: `Wrote ${file}\n`,
      stderr: expect.stringMatching(/^Next: systemctl reload docker .*docker run --runtime porthole /),
    });
    const { path, runtimeArgs } = JSON.parse(readFileSync(file, 'utf8')).runtimes.porthole;
    expect(path).toMatch(/^\/.*\/bin\/porthole-runtime$/);
    expect(runtimeArgs).toEqual(['--porthole-state-dir', folder, '--porthole-required']);
  });

  it('says what is there already, and what there is to remove', async () => {
    await docker();
    expect((await docker()).stdout).toBe(`${file} was set up already\n`);
    expect((await docker('--remove')).stdout).toBe(`Removed ${file}\n`);
    expect((await docker('--remove')).stdout).toBe(`There is nothing to remove in ${file}\n`);
  });

  it('refuses a broken file, and --remove together with --required', async () => {
    writeFileSync(file, '{');
    expect(await docker()).toMatchObject({
      code: 1,
      stderr: `Error: ${file} is not valid JSON, and was not changed: the error is at line 1 column 2\n`,
    });
    expect(await docker('--remove', '--required')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Both --remove and --required given'),
    });
  });

  it.each([['cdi'], ['docker'], ['podman'], ['lxc'], ['nspawn', 'web']])(
    '%s needs a state directory, but not to remove what it has written',
    async (...words) => {
      const target = join(folder, 'f.json');
      const there = ['setup', ...words, '--config', target];
      const missing = join(folder, 'none');
      expect(await runIn(missing, there)).toEqual({
        code: 1,
        stdout: '',
        stderr: `Error: There is no state directory ${missing}: start the daemon first, or name another with --state-dir\n`,
      });
      expect(existsSync(target)).toBe(false);
      writeFileSync(missing, '');
      expect((await runIn(missing, there)).stderr).toContain('There is no state directory');
      rmSync(missing);
      expect((await runIn(missing, [...there, '--remove'])).code).toBe(0);
    },
  );

  it('says in its help for whom the device of CDI is', async () => {
    expect((await runIn(folder, ['setup', '--help'])).stdout).toMatch(
      /cdi .* for Podman, and Docker 25 or later \(CDI\)/,
    );
  });

  it('has --reload only for Docker', async () => {
    writeFileSync(file, JSON.stringify({ pidfile: join(folder, 'pid') }));
    expect(await docker('--reload')).toEqual({
      code: 0,
      stdout: `Wrote ${file}\nDocker does not run: it will read the settings when it starts.\n`,
      stderr: '',
    });
    expect((await runIn(folder, ['setup', 'cdi', '--reload'])).code).toBe(2);
  });
});
