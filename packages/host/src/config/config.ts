import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../base/coded-error.ts';
import { DEFAULT_STATE_DIR } from '../base/state-directory.ts';
import { isYamlMap } from '../base/yaml-map.ts';
import { parseYamlTexts } from '../base/yaml-texts.ts';
import { badSettings as bad, etcdSettings } from './etcd-settings.ts';
import { SETTINGS, type SettingName, type SettingRow, type Settings } from './settings.ts';

/** The sources of settings: command line and environment, passed in once, in `main.ts`. */
export interface ConfigSources {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The whole configuration of the daemon. */
export interface DaemonConfig {
  readonly stateDir: string;
  readonly settings: Settings;
}

/** The action that the command line asks for. */
export type Invocation =
  | { readonly kind: 'run'; readonly config: DaemonConfig }
  /**
   * Everything has been read and is valid. If it `asksOthers`, it is to try whether etcd can be used; the daemon can
   * start without it.
   */
  | { readonly kind: 'check'; readonly config: DaemonConfig; readonly asksOthers: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

/**
 * Reads flags, environment and settings file into one checked value. A flag overrides the environment, that
 * the file, that the default.
 * @throws CodedError `bad-settings`, with the key, its place and the values that it takes
 */
export function readConfig({ args, env }: ConfigSources): Invocation {
  const { help, version, check: onlyCheck, 'check-start': onlyCheckStart, ...flags } = readFlags(args);
  if (help) return { kind: 'help' };
  if (version) return { kind: 'version' };
  const stateDir = checkStateDir(
    resolve(String(flags['state-dir'] ?? env['PORTHOLE_DIR'] ?? DEFAULT_STATE_DIR)),
  );
  const file = String(flags['settings'] ?? env['PORTHOLE_SETTINGS'] ?? join(stateDir, 'settings.yaml'));
  const fromFile = readSettingsFile(file);
  const settings: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(SETTINGS) as [SettingName, SettingRow][]) {
    const given = firstGiven([
      [`--${name}`, flags[name]],
      [environmentName(name), env[environmentName(name)]],
      [`${name} in ${file}`, fromFile[name]],
    ]);
    settings[name] = given ? check(given.where, given.value, row) : row.default;
  }
  if (settings['server-name'] === '') settings['server-name'] = hostname();
  const config = { stateDir, settings: settings as unknown as Settings };
  if (config.settings.store === 'etcd') etcdSettings(config.settings);
  if (onlyCheck) return { kind: 'check', config, asksOthers: true };
  if (onlyCheckStart) return { kind: 'check', config, asksOthers: false };
  return { kind: 'run', config };
}

/** Bytes of a path: with a longer one, the kernel would refuse the paths of the sockets below it, unix(7). */
const STATE_DIR_BYTES_MAX = 90;

/** Some characters separate layers and options of an overlay, or lines of LXC's configuration. */
function checkStateDir(path: string): string {
  if (/[:,\\\x00-\x1f\x7f]/.test(path)) {
    throw bad(`the state directory ${JSON.stringify(path)} may have no ":", ",", "\\" or control character`);
  }
  if (Buffer.byteLength(path) > STATE_DIR_BYTES_MAX) {
    throw bad(`the path of the state directory ${path} is longer than ${STATE_DIR_BYTES_MAX} bytes`);
  }
  return path;
}

/** `guest-idle-seconds` is PORTHOLE_GUEST_IDLE_SECONDS in the environment. */
export function environmentName(name: string): string {
  return `PORTHOLE_${name.replaceAll('-', '_').toUpperCase()}`;
}

function readFlags(args: readonly string[]): Record<string, string | boolean | undefined> {
  const settings = Object.keys(SETTINGS).map((name) => [name, { type: 'string' }] as const);
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        check: { type: 'boolean' },
        'check-start': { type: 'boolean' },
        'state-dir': { type: 'string' },
        settings: { type: 'string' },
        ...Object.fromEntries(settings),
      },
    });
    return values as Record<string, string | boolean | undefined>;
  } catch (error) {
    throw bad(messageOf(error));
  }
}

function readSettingsFile(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw bad(`cannot read ${path}: ${messageOf(error)}`);
  }
  const settings = parseYaml(path, text);
  if (settings === null) return {};
  if (!isYamlMap(settings)) throw bad(`${path} must hold \`key: value\` lines`);
  for (const [key, value] of Object.entries(settings)) {
    if (!Object.hasOwn(SETTINGS, key)) throw bad(`unknown setting ${key} in ${path}`);
    if (value === null) throw bad(`${key} in ${path} has no value`);
    if (typeof value !== 'string') throw bad(`${key} in ${path} must have one value, not a list or a map`);
  }
  return settings;
}

function parseYaml(path: string, text: string): unknown {
  try {
    return parseYamlTexts(text);
  } catch (error) {
    throw bad(`${path} is not YAML: ${messageOf(error)}`);
  }
}

function firstGiven(candidates: [where: string, value: unknown][]): { where: string; value: unknown } | null {
  for (const [where, value] of candidates) if (value !== undefined) return { where, value };
  return null;
}

function check(where: string, value: unknown, row: SettingRow): unknown {
  if (row.kind === 'text') {
    const [form = /^/, what = ''] = row.form ?? [];
    if (form.test(String(value))) return String(value);
    throw bad(`${where}: "${value}" must be ${what}`);
  }
  if (row.kind === 'choice') {
    if (row.choices.includes(String(value))) return String(value);
    throw bad(`${where}: "${value}" is not one of ${row.choices.join(', ')}`);
  }
  const number = Number(value);
  if (value !== '' && Number.isInteger(number) && number >= row.min && number <= row.max) return number;
  throw bad(`${where}: "${value}" is not a whole number from ${row.min} to ${row.max}`);
}
