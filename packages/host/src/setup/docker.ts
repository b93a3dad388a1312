import { readFile } from 'node:fs/promises';
import { parseExactly } from '../base/exact-json.ts';
import { brokenPlace } from '../base/json-place.ts';
import { isYamlMap } from '../base/yaml-map.ts';
import { readText, removeFile, writeText } from './files.ts';
import { RUNTIME, runtimeCommand } from './runtime-words.ts';
import type { Change, Setup } from './setup.ts';

type Settings = Readonly<Record<string, unknown>>;

const RELOAD = 'systemctl reload docker (without systemd: send dockerd the signal HUP)';
/** A reload does not end a runtime that was the only one in the settings. */
const RESTART = 'restart Docker when it suits you; until then it keeps the runtime';
const PID_FILE = '/run/docker.pid';

/** A runtime of Docker. */
export const docker: Setup = {
  name: 'docker',
  title: 'Docker',
  canRequire: true,
  about:
    `Adds the runtime "${RUNTIME}" to Docker's settings; all others stay. A container that is started with it has the ` +
    'guest API and becomes an instance. Docker has to read its settings again; its containers run on meanwhile. ' +
    'After the removal, containers that were made with the runtime do not start.',
  file: '/etc/docker/daemon.json',
  example: `docker run --runtime ${RUNTIME} ...`,
  async apply(place, file) {
    const [path, ...runtimeArgs] = runtimeCommand(place);
    const change = await edit(file, (settings) => {
      const runtimes = { ...runtimesIn(settings), [RUNTIME]: { path, runtimeArgs } };
      return { ...settings, runtimes };
    });
    const use = `docker run --runtime ${RUNTIME} --name web IMAGE`;
    return { changes: [change], next: change.what === 'same' ? use : `${RELOAD}, then ${use}` };
  },
  async remove(_place, file) {
    const change = await edit(file, (settings) => {
      if (!(RUNTIME in runtimesIn(settings))) return settings;
      if (settings['default-runtime'] === RUNTIME)
        throw new Error(
          `Without the runtime "${RUNTIME}" Docker would not start: it is the "default-runtime" in ${file}. ` +
            'Take that setting out first; nothing was changed',
        );
      const { [RUNTIME]: _, ...others } = runtimesIn(settings);
      const { runtimes: __, ...rest } = settings;
      return Object.keys(others).length === 0 ? rest : { ...settings, runtimes: others };
    });
    if (change.what === 'same') return { changes: [{ path: file, what: 'absent' }], next: '' };
    return { changes: [change], next: change.what === 'absent' ? '' : RESTART };
  },
  async reload(file) {
    const { pidfile } = settingsIn(file, await readText(file));
    const pid = await dockerPid(typeof pidfile === 'string' ? pidfile : PID_FILE);
    if (pid === null || !hangUp(pid)) return 'Docker does not run: the settings count at its next start.';
    return `Docker (pid ${pid}) reads its settings again.`;
  },
};

/** Changes Docker's settings. A file without any setting is removed, because it may not have been there before. */
async function edit(file: string, change: (settings: Settings) => Settings): Promise<Change> {
  const text = await readText(file);
  const before = settingsIn(file, text);
  const after = change(before);
  if (JSON.stringify(after) === JSON.stringify(before))
    return { path: file, what: text === null ? 'absent' : 'same' };
  if (Object.keys(after).length === 0) return removeFile(file);
  return writeText(file, `${JSON.stringify(after, null, indentOf(text ?? ''))}\n`);
}

function settingsIn(file: string, text: string | null): Settings {
  // Docker takes an empty file for one without settings.
  if (text === null || text.trim() === '') return {};
  let settings: unknown;
  try {
    settings = parseExactly(text);
  } catch {
    throw new Error(`${file} is not valid JSON, and was not changed: the error is at ${brokenPlace(text)}`);
  }
  if (!isYamlMap(settings)) throw new Error(`${file} is not an object, and was not changed`);
  if (!isYamlMap(settings['runtimes'] ?? {}))
    throw new Error(`${file}: "runtimes" is not an object; nothing was changed`);
  return settings;
}

function runtimesIn(settings: Settings): Settings {
  return (settings['runtimes'] ?? {}) as Settings;
}

function indentOf(text: string): string {
  return /^\s*\{\s*?\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
}

/** Null if no dockerd has this pid: another program may have it by now. */
async function dockerPid(pidFile: string): Promise<number | null> {
  const pid = Number.parseInt((await readText(pidFile)) ?? '', 10);
  const name = pid > 0 ? await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '') : '';
  return name.trim() === 'dockerd' ? pid : null;
}

/** False if the program has just ended. */
function hangUp(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGHUP');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
