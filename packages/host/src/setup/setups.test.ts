import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cdi } from './cdi.ts';
import { docker } from './docker.ts';
import { podman } from './podman.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-test-setup-'));
  file = join(folder, 'etc/settings');
});
afterEach(() => rmSync(folder, { recursive: true }));

const place = () => ({ stateDir: join(folder, "it's state"), bin: '/opt/bin', required: false });
const read = (path = file) => readFileSync(path, 'utf8');
function write(text: string): void {
  mkdirSync(join(folder, 'etc'), { recursive: true });
  writeFileSync(file, text);
}

describe.each([cdi, docker, podman])('porthole setup $name', (setup) => {
  beforeEach(() => mkdirSync(place().stateDir));
  const whats = async (done: ReturnType<typeof setup.apply>) => (await done).changes.map(({ what }) => what);

  it('has the same result when repeated, and says so', async () => {
    expect(new Set(await whats(setup.apply(place(), file)))).toEqual(new Set(['written']));
    const once = read();
    expect(new Set(await whats(setup.apply(place(), file)))).toEqual(new Set(['same']));
    expect(read()).toBe(once);
  });

  it('takes back what it has written, and nothing else', async () => {
    await setup.apply(place(), file);
    await setup.remove(place(), file);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(join(place().stateDir, 'porthole-runtime'))).toBe(false);
    expect(new Set(await whats(setup.remove(place(), file)))).toEqual(new Set(['absent']));
  });

  it('follows a new place', async () => {
    await setup.apply(place(), file);
    expect(await whats(setup.apply({ ...place(), required: true }, file))).toContain('written');
  });
});

describe('the settings of Docker', () => {
  const runtime = { path: '/opt/bin/porthole-runtime', runtimeArgs: ['--porthole-state-dir', '/s'] };
  const at = { stateDir: '/s', bin: '/opt/bin', required: false };

  it('keep all else, the indent, the mode and exact numbers', async () => {
    write(
      '{\n\t"log-level": "warn",\n\t"x": 18446744073709551615,\n\t"runtimes": {\n\t\t"other": {}\n\t}\n}\n',
    );
    chmodSync(file, 0o600);
    const before = read();
    await docker.apply(at, file);
    expect(JSON.parse(read()).runtimes).toEqual({ other: {}, porthole: runtime });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await docker.remove(at, file);
    expect(read()).toBe(before);
  });

  it('keep a link to the file', async () => {
    write('{"a":1}');
    symlinkSync(file, join(folder, 'link'));
    await docker.apply(at, join(folder, 'link'));
    expect(JSON.parse(read())).toEqual({ a: 1, runtimes: { porthole: runtime } });
  });

  it.each([
    ['{"a": }', /settings is not valid JSON, and was not changed: .*line 1 column 7/],
    ['{\n  "a": 1,\n  "b" 2\n}', /line 3 column 7/],
    ['{"a": 1', /line 1 column 8/],
    ['[]', 'settings is not an object, and was not changed'],
    ['{"runtimes": []}', 'settings: "runtimes" is not an object; nothing was changed'],
  ])('that are %j are refused, with the place, and stay as they are', async (text, message) => {
    write(text);
    await expect(docker.apply(at, file)).rejects.toThrow(message);
    await expect(docker.remove(at, file)).rejects.toThrow(message);
    expect(read()).toBe(text);
  });

  it('an empty file is one without settings', async () => {
    write('\n');
    await docker.apply(at, file);
    expect(JSON.parse(read())).toEqual({ runtimes: { porthole: runtime } });
  });

  it('are read again only by a dockerd', async () => {
    write(JSON.stringify({ pidfile: join(folder, 'pid') }));
    await expect(docker.reload?.(file)).rejects.toThrow(
      `Docker does not run: ${folder}/pid leads to no dockerd`,
    );
    writeFileSync(join(folder, 'pid'), String(process.pid));
    await expect(docker.reload?.(file)).rejects.toThrow('leads to no dockerd');
  });
});

it('Podman needs a state directory for the script', async () => {
  await expect(podman.apply(place(), file)).rejects.toThrow(
    `There is no state directory ${place().stateDir}: `,
  );
  expect(existsSync(file)).toBe(false);
});
