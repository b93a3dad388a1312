import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Looks } from '../looks/looks.ts';
import { describeLxc } from './lxc.ts';

let folder: string;
let id: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-records-'));
  id = join(folder, 'config');
});
afterEach(() => rmSync(folder, { recursive: true }));

const described = () => describeLxc({ of: 'lxc', id, name: 'web', pid: 7 }, new Looks().asRoot);

describe('The configuration of an LXC container', () => {
  it('has the words of its operator in lines of its environment', async () => {
    writeFileSync(
      id,
      'lxc.uts.name = web\n lxc.environment = PORTHOLE_NAME=front\nlxc.environment=PORTHOLE_CONFIG_user.a=x y \n',
    );
    expect(await described()).toEqual({
      container: {
        runtime: 'lxc',
        id,
        name: 'web',
        image: '',
        digest: '',
        labels: {},
        owner: '',
        record: id,
      },
      words: { name: 'front', 'config.user.a': 'x y' },
    });
  });

  it('has no words if other users can write it, or if it does not exist', async () => {
    expect((await described()).words).toEqual({});
    writeFileSync(id, 'lxc.environment = PORTHOLE_NAME=front\n');
    chmodSync(id, 0o666);
    expect((await described()).words).toEqual({});
  });
});
