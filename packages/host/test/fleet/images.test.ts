import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { ask } from '../harness/api.ts';
import { shows, TestFleet, type TestMember } from '../harness/fleet.ts';

// Real etcd and real daemons: images whose files only some members have.
let fleet: TestFleet;
let ma: TestMember;
let mb: TestMember;

beforeAll(async () => {
  fleet = await TestFleet.start();
  ma = await fleet.member('ma', ({ daemon }) => daemon.must('image', 'build', 'busybox', '--public'));
  mb = await fleet.member('mb');
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

/** Files of images that a member has, with their inodes: a file that is fetched again has another one. */
function filesAt({ daemon }: TestMember): string[] {
  const folder = join(daemon.stateDir, 'images');
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
  return names.flatMap((image) =>
    readdirSync(join(folder, image)).map(
      (name) => `${image}/${name} ${statSync(join(folder, image, name)).ino}`,
    ),
  );
}

const imageFile = (at: TestMember) => join(at.daemon.stateDir, 'images', filesAt(at)[0]?.split(' ')[0] ?? '');

describe('the files of an image', () => {
  it('that are damaged where they are are refused, and nothing is left of them', async () => {
    const path = imageFile(ma);
    const whole = readFileSync(path);
    writeFileSync(path, whole.toReversed());
    const { code, stderr } = await mb.daemon.porthole('launch', 'busybox', 'b0', '--target', 'mb');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('cannot be fetched from the members that have them: ma'),
    ]);
    expect(filesAt(mb)).toEqual([]);
    truncateSync(path, whole.length - 1);
    expect((await mb.daemon.porthole('launch', 'busybox', 'b0', '--target', 'mb')).code).toBe(1);
    expect(filesAt(mb)).toEqual([]);
    writeFileSync(path, whole);
    expect(await mb.daemon.must('list', '-f', 'csv', '-c', 'n')).toBe('');
  });

  it('cannot be fetched while the member that has them is offline', async () => {
    await ma.daemon.stop();
    await shows(mb, 'ma', 'Offline');
    const { code, stderr } = await mb.daemon.porthole('launch', 'busybox', 'b0', '--target', 'mb');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('cannot be fetched from the members that have them: ma'),
    ]);
    await ma.daemon.start();
    await shows(mb, 'ma', 'Online');
  });

  it('are fetched once for two launches at once, and kept for later ones', async () => {
    const launch = (name: string) => mb.daemon.must('launch', 'busybox', name, '--target', 'mb');
    await Promise.all(['b1', 'b2'].map(launch));
    const files = filesAt(mb);
    expect(files).toHaveLength(filesAt(ma).length);
    await launch('b3');
    expect(filesAt(mb)).toEqual(files);
    expect(readFileSync(imageFile(mb)).equals(readFileSync(imageFile(ma)))).toBe(true);
    expect(await mb.operator.sh('b1', 'hostname')).toBe('b1');
  });

  it('reach a guest of a member that does not have them yet', async () => {
    const [image] =
      await ma.operator.client.get<{ fingerprint: string; size: number }[]>('/1.0/images?recursion=1');
    // An image of its own: only the others have the one that the guest asks for.
    const mc = await fleet.member('mc', async ({ daemon }) => {
      const own = join(daemon.stateDir, 'own.tar.gz');
      await run('sh', ['-c', `gzip -dc ${inject('busybox')} | gzip -1 > ${own}`]);
      await daemon.must('image', 'import', own, '--alias', 'own');
    });
    await mc.daemon.must('launch', 'own', 'c1', '--target', 'mc', '-c', 'security.devlxd.images=true');
    expect(filesAt(mc)).toHaveLength(1);
    const init = await mc.operator.pid('c1');
    const path = `/1.0/images/${image?.fingerprint}/export`;
    const { status, body } = await ask(
      mc.daemon,
      { init },
      path,
      '-o',
      '/dev/null',
      '-w',
      '%{size_download}',
      '-D',
      '-',
    );
    expect([status, Number(body)]).toEqual([200, image?.size]);
    expect(filesAt(mc)).toHaveLength(2);
  });
});
