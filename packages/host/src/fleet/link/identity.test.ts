import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { openIdentity } from './identity.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp('/var/tmp/porthole-link-');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('is made once, and only its owner may read it', async () => {
  const path = join(folder, 'member.pem');
  const first = await openIdentity(path);
  expect(first.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const text = await readFile(path, 'utf8');
  expect((await openIdentity(path, '/nowhere')).fingerprint).toBe(first.fingerprint);
  expect(await readFile(path, 'utf8')).toBe(text);
});

it('differs from every other', async () => {
  const made = await Promise.all(['a', 'b'].map((name) => openIdentity(join(folder, name))));
  expect(made[0]?.fingerprint).not.toBe(made[1]?.fingerprint);
});

it('leaves nothing when the program fails, hangs up or prints something else', async () => {
  const path = join(folder, 'failed');
  await expect(openIdentity(path, '/bin/false')).rejects.toMatchObject({ code: 'certificate-not-made' });
  await expect(openIdentity(path, '/bin/echo')).rejects.toMatchObject({ code: 'certificate-not-made' });
  await expect(openIdentity(path, '/nowhere')).rejects.toMatchObject({ code: 'certificate-not-made' });
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('is never replaced: a damaged file, a foreign key and an open mode are refused', async () => {
  const [path, other] = [join(folder, 'kept'), join(folder, 'other')];
  await openIdentity(path);
  await openIdentity(other);
  const text = await readFile(path, 'utf8');
  const key =
    (await readFile(other, 'utf8')).match(/-+BEGIN PRIVATE KEY[\s\S]*END PRIVATE KEY-+\n/)?.[0] ?? '';
  const certificate = text.match(/-+BEGIN CERT[\s\S]*/)?.[0] ?? '';
  for (const bad of ['', text.slice(0, 100), key + certificate]) {
    await writeFile(path, bad);
    await expect(openIdentity(path)).rejects.toMatchObject({ code: 'certificate-unusable' });
    expect(await readFile(path, 'utf8')).toBe(bad);
  }
  await writeFile(path, text);
  await chmod(path, 0o640);
  await expect(openIdentity(path)).rejects.toThrow('others than its owner may open it');
});
