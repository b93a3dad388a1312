import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TIMER_MS_MAX } from '../base/long-timer.ts';
import { DEFAULT_STATE_DIR } from '../base/state-directory.ts';
import { environmentName, readConfig } from './config.ts';
import { SETTINGS } from './settings.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-config-');
  file = join(folder, 'settings.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(args: string[], env: Record<string, string> = {}) {
  const invocation = readConfig({ args: ['--state-dir', folder, ...args], env });
  if (invocation.kind !== 'run') throw new Error(`it asks for ${invocation.kind}`);
  return invocation.config;
}

describe('readConfig', () => {
  it('uses the defaults where nothing is given', () => {
    const { settings } = read([]);
    expect(settings['guest-idle-seconds']).toBe(SETTINGS['guest-idle-seconds'].default);
    expect(settings['server-name']).not.toBe('');
  });

  it('takes a flag before the environment, and that before the file', () => {
    writeFileSync(file, 'log-level: warn\nguest-idle-seconds: 7\nstop-seconds: 1\n');
    const env = { PORTHOLE_LOG_LEVEL: 'error', PORTHOLE_GUEST_IDLE_SECONDS: '8' };
    const { settings } = read(['--log-level', 'debug'], env);
    expect(settings).toMatchObject({ 'log-level': 'debug', 'guest-idle-seconds': 8, 'stop-seconds': 1 });
  });

  it('finds the state directory by flag, then PORTHOLE_DIR, then its default', () => {
    const stateDir = (args: string[], env: Record<string, string>) => {
      const invocation = readConfig({ args, env });
      return invocation.kind === 'run' && invocation.config.stateDir;
    };
    expect(stateDir(['--state-dir', folder], { PORTHOLE_DIR: '/elsewhere' })).toBe(folder);
    expect(stateDir([], { PORTHOLE_DIR: folder })).toBe(folder);
    expect(stateDir(['--settings', '/nowhere.yaml'], {})).toBe(DEFAULT_STATE_DIR);
  });

  it.each(['/var/co:lon', '/var/com,ma', '/var/back\\slash', '/var/line\nbreak', `/var/${'x'.repeat(100)}`])(
    'refuses a state directory in which no instance could run: %j',
    (path) => {
      expect(() => readConfig({ args: ['--state-dir', path], env: {} })).toThrow(/state directory/);
    },
  );

  it.each([
    [
      ['--guest-idle-seconds', 'soon'],
      {},
      /--guest-idle-seconds: "soon" is not a whole number from 1 to 86400/,
    ],
    [[], { PORTHOLE_GUEST_IDLE_SECONDS: '0' }, /PORTHOLE_GUEST_IDLE_SECONDS: "0" is not/],
    [
      ['--identification', 'guess'],
      {},
      /--identification: "guess" is not one of auto, pidfd, pidfd-proc, proc/,
    ],
    [['--colour', 'red'], {}, /--colour/],
    [['extra'], {}, /extra/],
  ])('names the key of a bad value: %j %j', (args, env, message) => {
    expect(() => read(args as string[], env as Record<string, string>)).toThrow(message);
  });

  it.each([
    ['guest-idle-seconds: soon', /guest-idle-seconds in .*settings\.yaml: "soon"/],
    ['nonsense: 1', /unknown setting nonsense in .*settings\.yaml/],
    ['[1, 2]', /must hold `key: value` lines/],
    ['a: b: c', /is not YAML/],
    ['log-level:', /log-level in .*settings\.yaml has no value/],
    ['stop-seconds: ~', /stop-seconds in .*settings\.yaml has no value/],
    ['server-name: # comes later', /server-name in .*settings\.yaml has no value/],
    ['server-name: [a]', /server-name in .*settings\.yaml must have one value/],
    ['stop-seconds: ""', /stop-seconds in .*settings\.yaml: "" is not a whole number/],
    ['constructor: 1', /unknown setting constructor in .*settings\.yaml/],
    ['__proto__: {log-level: debug}', /unknown setting __proto__ in .*settings\.yaml/],
  ])('names file and key of a bad line: %s', (text, message) => {
    writeFileSync(file, text);
    expect(() => read([])).toThrow(message);
  });

  it('refuses an empty value in the file even if a flag overrides it', () => {
    writeFileSync(file, 'log-level:\n');
    expect(() => read(['--log-level', 'debug'])).toThrow(/log-level in .*settings\.yaml has no value/);
  });

  it.each(['1.50', '0x10', 'null-1', '2024-01-02', 'true', 'no'])(
    'takes the text %s as it is written in the file',
    (name) => {
      writeFileSync(file, `server-name: ${name}\n`);
      expect(read([]).settings['server-name']).toBe(name);
    },
  );

  it('accepts an empty file', () => {
    writeFileSync(file, '# nothing yet\n');
    expect(read([]).settings['log-level']).toBe('info');
  });

  it('recognises --help and --version', () => {
    expect(readConfig({ args: ['--help'], env: {} }).kind).toBe('help');
    expect(readConfig({ args: ['--version'], env: {} }).kind).toBe('version');
  });
});

describe('environmentName', () => {
  it('is PORTHOLE_ and the setting in capitals', () => {
    expect(environmentName('guest-idle-seconds')).toBe('PORTHOLE_GUEST_IDLE_SECONDS');
  });
});

it('no setting in seconds can exceed the longest timer', () => {
  const rows = Object.entries(SETTINGS).filter(([name]) => name.endsWith('-seconds'));
  expect(rows.length).toBeGreaterThan(2);
  for (const [name, row] of rows)
    expect([name, 'max' in row && row.max * 1000 <= TIMER_MS_MAX]).toEqual([name, true]);
});
