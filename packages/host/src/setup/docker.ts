import { readFile } from 'node:fs/promises';
import { parseExactly } from '../base/exact-json.ts';
import { brokenPlace } from '../base/json-place.ts';
import { isYamlMap } from '../base/yaml-map.ts';
import { readText, removeFile, writeText } from './files.ts';
import { RUNTIME, runtimeCommand } from './runtime-words.ts';
import type { Change, Setup } from './setup.ts';

type Settings = Readonly<Record<string, unknown>>;

const RELOAD = 'systemctl reload docker (without systemd: send dockerd the signal HUP)';
/** Docker keeps its last runtime at a reload, if its settings have no runtime any more. */
const RESTART = 'restart Docker when it suits you; until then it keeps the runtime';
const PID_FILE = '/run/docker.pid';

/** A runtime of Docker. */
export const docker: Setup = {
  name: 'docker',
  title: 'Docker',
  canRequire: true,
  about:
    `Adds the runtime "${RUNTIME}" to Docker's settings, and keeps all other settings. A container with this runtime ` +
    'has the guest API and becomes an instance. Docker has to read its settings again; its containers continue to ' +
    'run meanwhile. After --remove, containers that were made with this runtime do not start.',
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
            'Remove that setting first; nothing was changed',
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
    if (pid === null || !hangUp(pid)) return 'Docker does not run: it will read the settings when it starts.';
    return `Docker (pid ${pid}) reads its settings again.`;
  },
};

/** Changes Docker's settings. If none is left, it removes the file, which may not have existed before the setup. */
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
  // Docker accepts an empty file.
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

/** The pid of dockerd; null if it does not run. Another program may have the pid in the file now. */
async function dockerPid(pidFile: string): Promise<number | null> {
  const pid = Number.parseInt((await readText(pidFile)) ?? '', 10);
  const name = pid > 0 ? await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '') : '';
  return name.trim() === 'dockerd' ? pid : null;
}

/** Sends SIGHUP. @returns false if the program has just ended */
function hangUp(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGHUP');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
