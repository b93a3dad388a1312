import { execFileSync } from 'node:child_process';
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
import { lxc } from './lxc.ts';
import { podman } from './podman.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-test-setup-'));
  file = join(folder, 'etc/settings.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const place = () => ({ stateDir: join(folder, "it's state"), bin: '/opt/bin', required: false });
const read = (path = file) => readFileSync(path, 'utf8');
function write(text: string): void {
  mkdirSync(join(folder, 'etc'), { recursive: true });
  writeFileSync(file, text);
}

describe.each([cdi, docker, podman, lxc])('porthole setup $name', (setup) => {
  beforeEach(() => mkdirSync(place().stateDir));
  const whats = async (done: ReturnType<typeof setup.apply>) => (await done).changes.map(({ what }) => what);

  it('has the same result when repeated, and says so', async () => {
    expect(new Set(await whats(setup.apply(place(), file)))).toEqual(new Set(['written']));
    const once = read();
    expect(new Set(await whats(setup.apply(place(), file)))).toEqual(new Set(['same']));
    expect(read()).toBe(once);
  });

  it('removes what it has written, and nothing else', async () => {
    await setup.apply(place(), file);
    await setup.remove(place(), file);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(join(place().stateDir, 'porthole-runtime'))).toBe(false);
    expect(new Set(await whats(setup.remove(place(), file)))).toEqual(new Set(['absent']));
  });

  it('writes its file again when it is repeated with --required', async () => {
    await setup.apply(place(), file);
    expect(await whats(setup.apply({ ...place(), required: true }, file))).toContain('written');
  });
});

describe('the settings of Docker', () => {
  const runtime = { path: '/opt/bin/porthole-runtime', runtimeArgs: ['--porthole-state-dir', '/s'] };
  const at = { stateDir: '/s', bin: '/opt/bin', required: false };

  it('keep all other settings, the indent, the mode and exact numbers', async () => {
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
    ['{"a": }', /settings.json is not valid JSON, and was not changed: .*line 1 column 7/],
    ['{\n  "a": 1,\n  "b" 2\n}', /line 3 column 7/],
    ['{"a": 1', /line 1 column 8/],
    ['[]', 'settings.json is not an object, and was not changed'],
    ['{"runtimes": []}', 'settings.json: "runtimes" is not an object; nothing was changed'],
  ])('that are %j are refused, with the place, and stay as they are', async (text, message) => {
    write(text);
    await expect(docker.apply(at, file)).rejects.toThrow(message);
    await expect(docker.remove(at, file)).rejects.toThrow(message);
    expect(read()).toBe(text);
  });

  it('may be an empty file', async () => {
    write('\n');
    await docker.apply(at, file);
    expect(JSON.parse(read())).toEqual({ runtimes: { porthole: runtime } });
  });

  it('are read again only by a dockerd; without one the command says when they will be read', async () => {
    const later = 'Docker does not run: it will read the settings when it starts.';
    write(JSON.stringify({ pidfile: join(folder, 'pid') }));
    expect(await docker.reload?.(file)).toBe(later);
    writeFileSync(join(folder, 'pid'), String(process.pid));
    expect(await docker.reload?.(file)).toBe(later);
  });

  it('keep the runtime while it is the default, because Docker would not start without it', async () => {
    const text = '{"default-runtime":"porthole","runtimes":{"porthole":{"path":"/x"}}}';
    write(text);
    await expect(docker.remove(at, file)).rejects.toThrow(
      `Without the runtime "porthole" Docker would not start: it is the "default-runtime" in ${file}. Remove that `,
    );
    expect(read()).toBe(text);
    write(text.replace('"porthole",', '"runc",'));
    await docker.remove(at, file);
    expect(JSON.parse(read())).toEqual({ 'default-runtime': 'runc' });
  });
});

describe.each([cdi, podman, lxc])('porthole setup $name', (setup) => {
  const script = () => join(place().stateDir, 'porthole-runtime');
  beforeEach(() => mkdirSync(place().stateDir));
  const refusal = (path: string) =>
    `${path} was not written by \`porthole setup ${setup.name}\`; nothing was changed`;
  const refuses = async (path: string) => {
    const before = read(path);
    await expect(setup.apply(place(), file)).rejects.toThrow(refusal(path));
    await expect(setup.remove(place(), file)).rejects.toThrow(refusal(path));
    expect(read(path)).toBe(before);
  };

  it.each(['mine\n', '{"kind":"other.dev/x"}', '[]', '\n\n# Made by `porthole setup`\n'])(
    'neither overwrites nor removes the file of another program: %j',
    async (text) => {
      write(text);
      await refuses(file);
      expect(existsSync(script())).toBe(false);
    },
  );

  it('writes into an empty file, but does not remove it', async () => {
    write('\n');
    await expect(setup.remove(place(), file)).rejects.toThrow(refusal(file));
    await setup.apply(place(), file);
    expect(read()).toContain('porthole');
  });

  it('refuses the file of another setup', async () => {
    const other = setup === lxc ? podman : lxc;
    await other.apply(place(), file);
    await refuses(file);
  });

  it('refuses a pipe, and a folder that the system cannot make', async () => {
    const pipe = join(folder, 'pipe.json');
    execFileSync('mkfifo', [pipe]);
    await expect(setup.apply(place(), pipe)).rejects.toThrow(`${pipe} is not a regular file`);
    await expect(setup.apply(place(), '/proc/nope/x/y.json')).rejects.toThrow(
      'The system cannot make the folder /proc/nope',
    );
  });
});

it('porthole setup podman keeps a script of another program, and then does not write its settings', async () => {
  mkdirSync(place().stateDir);
  const script = join(place().stateDir, 'porthole-runtime');
  writeFileSync(script, '#!/bin/sh\n');
  await expect(podman.apply(place(), file)).rejects.toThrow(`${script} was not written by`);
  expect(existsSync(file)).toBe(false);
  rmSync(script);
  await podman.apply(place(), file);
  writeFileSync(script, '#!/bin/sh\n');
  await expect(podman.remove(place(), file)).rejects.toThrow(`${script} was not written by`);
  expect(existsSync(file)).toBe(true);
});

it('porthole setup cdi refuses the name of a file that managers ignore', async () => {
  for (const name of ['f', 'f.yml', 'f.JSON', '.json']) {
    const path = join(folder, name);
    await expect(cdi.apply(place(), path)).rejects.toThrow(
      `${path} would be ignored: the name of a file for CDI ends with .json or .yaml`,
    );
    expect(existsSync(path)).toBe(false);
  }
  await cdi.apply(place(), join(folder, 'f.yaml'));
});
