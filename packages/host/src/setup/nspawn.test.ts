import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nspawn } from './nspawn.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-test-nspawn-'));
  file = join(folder, 'web.nspawn');
});
afterEach(() => rmSync(folder, { recursive: true }));

const PLACE = { stateDir: '/s', bin: '/b', required: false };
const OURS = 'BindReadOnly=/s/devlxd:/dev/lxd\n';
const read = () => readFileSync(file, 'utf8');
const what = async (done: ReturnType<typeof nspawn.apply>) => (await done).changes[0]?.what;

describe('porthole setup nspawn', () => {
  it('writes the mount, says what to type, and has the same result when repeated', async () => {
    const done = await nspawn.apply(PLACE, file);
    expect(done.next).toBe('machinectl start web (or machinectl reboot web)');
    expect(read()).toMatch(/^# Made by .*\n\[Files\]\nBindReadOnly=\/s\/devlxd:\/dev\/lxd\n$/);
    expect(await what(nspawn.apply(PLACE, file))).toBe('same');
    expect(await what(nspawn.remove(PLACE, file))).toBe('removed');
    expect(existsSync(file)).toBe(false);
    expect(await what(nspawn.remove(PLACE, file))).toBe('absent');
  });

  it.each([
    '[Exec]\nBoot=no\n',
    '[Files]\nBind=/srv\n\n# end\n',
    '# only a comment\n',
    '[Exec]\nEnvironment=A=1 \\\n  B=2\n',
    '\n',
  ])('keeps all lines of an operator, also over a removal: %j', async (before) => {
    writeFileSync(file, before);
    await nspawn.apply(PLACE, file);
    expect(read().startsWith(before)).toBe(true);
    expect(read().endsWith(`[Files]\n${OURS}`)).toBe(true);
    await nspawn.remove(PLACE, file);
    expect(existsSync(file) ? read() : '\n').toBe(before);
  });

  it('replaces the mount of another state directory', async () => {
    await nspawn.apply({ ...PLACE, stateDir: '/old' }, file);
    expect(await what(nspawn.apply(PLACE, file))).toBe('written');
    expect(read()).not.toContain('/old');
  });

  it('also removes the same line written by an operator, and keeps other lines of the section', async () => {
    writeFileSync(file, `[Files]\n${OURS}Bind=/srv\n`);
    expect(await what(nspawn.apply(PLACE, file))).toBe('same');
    await nspawn.remove(PLACE, file);
    expect(read()).toBe('[Files]\nBind=/srv\n');
  });

  it('keeps lines that an operator has added after its own', async () => {
    await nspawn.apply(PLACE, file);
    writeFileSync(file, `${read()}Bind=/srv\n`);
    await nspawn.remove(PLACE, file);
    expect(read()).toBe('[Files]\nBind=/srv\n');
  });

  it('refuses a file that mounts something else there, or that others can write', async () => {
    const text = '[Files]\nBind=/var/lib/lxd/other:/dev/lxd\n';
    writeFileSync(file, text);
    await expect(nspawn.apply(PLACE, file)).rejects.toThrow(
      `${file} mounts /var/lib/lxd/other at /dev/lxd, and was not changed`,
    );
    await nspawn.remove(PLACE, file);
    expect(read()).toBe(text);
    writeFileSync(file, '');
    chmodSync(file, 0o666);
    await expect(nspawn.apply(PLACE, file)).rejects.toThrow(`chmod go-w ${file}`);
  });

  it.each(['../x', 'a/b', '', '.hidden', 'a..b', 'x'.repeat(65)])('refuses the name %j', (name) => {
    expect(nspawn.argument?.whyNot(name)).toContain('is not a valid name of a machine');
  });

  it('has one file for each machine', () => {
    expect([nspawn.argument?.whyNot('my_web.1'), nspawn.argument?.fileOf('my_web.1')]).toEqual([
      '',
      '/etc/systemd/nspawn/my_web.1.nspawn',
    ]);
  });
});
