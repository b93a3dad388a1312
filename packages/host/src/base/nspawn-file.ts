/** A line `KEY=VALUE` of a `.nspawn` file; systemd.nspawn(5), systemd.syntax(7). */
export interface NspawnSetting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** Index of the first line of the setting in the text, and the number of its lines. */
  readonly line: number;
  readonly lines: number;
}

/** A mount of a line `Bind=` or `BindReadOnly=`. */
export interface NspawnBind {
  readonly source: string;
  readonly destination: string;
}

/** Where instances have the guest API. */
const GUEST_API = '/dev/lxd';
const BINDS = ['Bind', 'BindReadOnly'];

/** The settings of a `.nspawn` file, in their order. Other lines are left out. */
export function nspawnSettings(text: string): NspawnSetting[] {
  const lines = text.split('\n');
  const found: NspawnSetting[] = [];
  let section = '';
  for (let at = 0; at < lines.length; ) {
    const first = at;
    let whole = lines[at++] as string;
    if (isComment(whole)) continue;
    while (/(?<!\\)(?:\\\\)*\\$/.test(whole) && at < lines.length) {
      const next = lines[at++] as string;
      if (!isComment(next)) whole = `${whole.slice(0, -1)} ${next}`;
    }
    const header = /^\s*\[(.*)\]\s*$/.exec(whole);
    const [, key, value] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(whole) ?? [];
    if (header) section = header[1] as string;
    else if (key && value !== undefined) found.push({ section, key, value, line: first, lines: at - first });
  }
  return found;
}

/** The mounts at `/dev/lxd` that a `.nspawn` file asks for, with their settings. */
export function guestApiBinds(text: string): (NspawnSetting & NspawnBind)[] {
  return nspawnSettings(text).flatMap((setting) => {
    if (setting.section !== 'Files' || !BINDS.includes(setting.key)) return [];
    const bind = bindOf(setting.value);
    return bind.destination === GUEST_API ? [{ ...setting, ...bind }] : [];
  });
}

/** The value of `BindReadOnly=` that mounts a folder at `/dev/lxd`. */
export function guestApiBind(folder: string): string {
  return `${folder.replace(/[\\:]/g, '\\$&')}:${GUEST_API}`;
}

/** Reads `SOURCE[:DESTINATION[:OPTIONS]]`. A colon after a backslash belongs to a path. */
function bindOf(value: string): NspawnBind {
  const parts = [''];
  for (const [token] of value.matchAll(/\\.|[\s\S]/g)) {
    if (token === ':') parts.push('');
    else parts[parts.length - 1] += token.slice(-1);
  }
  const [source = '', destination] = parts;
  const target = destination ?? source;
  return {
    source: source.replace(/\/+$/, ''),
    destination: `/${target.split('/').filter(Boolean).join('/')}`,
  };
}

function isComment(line: string): boolean {
  return /^\s*[#;]/.test(line);
}

/** The words of a value: spaces separate them, and quotes keep spaces. */
export function nspawnWords(value: string): string[] {
  const words = value.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g);
  return Array.from(words, ([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, one, two) => one ?? two));
}
