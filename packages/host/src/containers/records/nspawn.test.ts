import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeNspawn } from './nspawn.ts';

let folder: string;
let settings: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-records-'));
  settings = join(folder, 'web.nspawn');
});
afterEach(() => rmSync(folder, { recursive: true }));

const described = () => describeNspawn({ of: 'nspawn', id: 'web', pid: 7, settings });

describe('The settings of a machine', () => {
  it('have the words of its operator in its environment', async () => {
    writeFileSync(
      settings,
      '[Exec]\nEnvironment="PORTHOLE_CONFIG_user__a=x y" TERM=x\nEnvironment=PORTHOLE_NAME=front\n[Files]\nEnvironment=PORTHOLE_NAME=no\n',
    );
    expect(await described()).toEqual({
      container: {
        ...{ runtime: 'nspawn', id: 'web', name: 'web', image: '', digest: '', labels: {}, owner: '' },
        record: settings,
      },
      words: { name: 'front', 'config.user.a': 'x y' },
    });
  });

  it('have no variables of lines before an empty one', async () => {
    writeFileSync(
      settings,
      '[Exec]\nEnvironment=PORTHOLE_CONFIG_user__a=1\nEnvironment=\nEnvironment=PORTHOLE_NAME=b',
    );
    expect((await described()).words).toEqual({ name: 'b' });
  });

  it('have no words if other users can write them, or if they do not exist', async () => {
    expect((await described()).words).toEqual({});
    writeFileSync(settings, '[Exec]\nEnvironment=PORTHOLE_NAME=front\n');
    chmodSync(settings, 0o666);
    expect((await described()).words).toEqual({});
  });
});
