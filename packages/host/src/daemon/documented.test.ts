import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environmentName } from '../config/config.ts';
import { describeSettings } from '../config/settings.ts';
import { CONFIG_KEYS } from '../core/config-key-table.ts';
import { DEVICE_TYPES } from '../core/device-table.ts';
import { DEVICE_TYPE_NAMES } from '../core/device-types.ts';
import { HOST_ERRORS } from '../core/host-errors.ts';
import { LXD_OPTIONS } from '../core/lxd-device-options.ts';
import { RAW_LXC_KEYS } from '../core/raw-lxc.ts';
import { GUEST_ERRORS } from '../guest/guest-errors.ts';
import { servedRoutes } from '../host/routes.ts';
import { failureAnswer, HTTP_FAILURES } from '../http/http-errors.ts';
import { WIRE_ERRORS } from '../wire/wire-errors.ts';

/** The command that makes the pages; each page names it. */
const COMMAND = 'npm run test:unit -- packages/host/src/daemon/documented.test.ts -u';

/** A page of tables that are made from tables of the program. */
const page = (title: string, source: string, intro: string, ...tables: string[]) =>
  [
    `<!-- Made from packages/host/src/${source} and the texts of documented.test.ts: change those, then run`,
    `     ${COMMAND} -->`,
    `\n# ${title}\n\n${intro}\n\n${tables.join('\n\n')}\n`,
  ].join('\n');

const table = (heads: string[], rows: string[][]) => {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
};

describe('the documentation', () => {
  it('has every setting', async () => {
    const rows = describeSettings().map(({ name, takes, about }) => [
      `\`${name}\``,
      about,
      takes,
      `\`--${name}\``,
      `\`${environmentName(name)}\``,
    ]);
    const intro = [
      'The daemon reads settings from a file with lines of the form `key: value`, from the environment and from flags. The',
      'file is `settings.yaml` in the state directory, or the one that `--settings` or `PORTHOLE_SETTINGS` names. A flag',
      'overrides the environment, and the environment overrides the file. With a bad value the daemon does not start: it',
      'exits with code 2 and a message that names the key. A key without a value is an error too: write `""` for an empty',
      'text.',
      '',
      'The state directory is `--state-dir`, else `PORTHOLE_DIR`, else `/var/lib/porthole`.',
    ].join('\n');
    const text = page(
      'Settings',
      'config/settings.ts',
      intro,
      table(['key', 'what for', 'takes; default', 'flag', 'environment'], rows),
    );
    await expect(text).toMatchFileSnapshot('../../../../docs/settings.md');
  });

  it('has every error', async () => {
    const [host, guest, wire] = [HOST_ERRORS, GUEST_ERRORS, WIRE_ERRORS].map((errors) =>
      Object.entries(errors).map(([code, [status, text]]) => [`\`${code}\``, String(status), text]),
    ) as [string[][], string[][], string[][]];
    const http = HTTP_FAILURES.map((code) => {
      const [head = '', body = ''] = failureAnswer(code).split('\r\n\r\n');
      return [`\`${code}\``, head.split(' ')[1] ?? '', body];
    });
    const intro = '`%s` stands for a text that differs from case to case.';
    const text = page(
      'Errors',
      '{guest/guest,http/http,core/host,wire/wire}-errors.ts',
      intro,
      '## Guest API\n\nAnswers to requests from inside an instance.',
      table(['code', 'status', 'text'], guest),
      'Answers to malformed HTTP, before the daemon looks for a route; then the daemon closes the connection:',
      table(['code', 'status', 'text'], http),
      '## Host API\n\nTexts in the envelope of an answer, or in `err` of a failed operation.',
      table(['code', 'status', 'text'], host),
      'Texts for a body, a header or a parameter that the daemon cannot read:',
      table(['code', 'status', 'text'], wire),
    );
    await expect(text).toMatchFileSnapshot('../../../../docs/errors.md');
  });

  it('has every configuration key', async () => {
    const rows = CONFIG_KEYS.map(({ key, use, about }) => [`\`${key}\``, about, use]);
    const intro = [
      "Keys of instances and profiles, with LXD's names. *applied*: the key has its effect. *recorded*: Porthole stores and",
      'shows the key, and it has no other effect. *refused*: Porthole cannot do what the key promises, so setting it is an',
      'error. In the table, "it" is the instance. If the daemon sets a key, it ignores the value that a client sends.',
    ].join('\n');
    const lines = RAW_LXC_KEYS.map(({ key, clears }) => `\`${key}\`${clears ? ' (may be empty)' : ''}`);
    const raw = [
      "`raw.lxc` may have these lines of lxc.container.conf(5). They come last, so they override Porthole's own lines. An",
      'empty value removes all earlier lines of its key. Porthole refuses an empty value that would remove its own lines.',
    ].join('\n');
    await expect(
      page(
        'Configuration keys',
        'core/{config-key-table,raw-lxc}.ts',
        intro,
        table(['key', 'what for', 'use'], rows),
        raw,
        `${lines.join(', ')}.`,
      ),
    ).toMatchFileSnapshot('../../../../docs/config-keys.md');
  });

  it('has every type of device with its options', async () => {
    const list = (options: readonly string[]) => options.map((option) => `\`${option}\``).join(', ');
    const rows = DEVICE_TYPE_NAMES.map((type) => {
      const options = Object.keys(DEVICE_TYPES[type].options);
      const refused = [...LXD_OPTIONS[type]].filter((option) => !options.includes(option));
      return [`\`${type}\``, list(options), list(refused)];
    });
    const intro = [
      "Devices of instances and profiles, with LXD's names. *refused* are options of LXD that Porthole does not have:",
      'setting one is an error. Options that begin with `user.` are for any use; every type has them.',
      '',
      "LXD's other types (`gpu`, `infiniband`, `pci`, `proxy`, `tpm`, `unix-block`, `unix-hotplug`, `usb`) are refused with",
      '`Unsupported device type`.',
    ].join('\n');
    const rules = [
      '- `none` hides a device of a profile.',
      '- A nic has the `nictype` `bridged`, with a bridge of the host as `parent`, or `p2p`. The other values that LXD has',
      '  (`macvlan`, `ipvlan`, `routed`, `physical`, `sriov`, `ovn`) are refused.',
      '- The root disk is the disk whose `path` is `/`. It needs `pool`, which is `default`, and may have `size`, of at least',
      '  16 MiB. No other disk has these two options.',
      '- Other disks show a file or a folder of the host: they need `source` and `path`, both absolute and without `..`. LXD',
      '  also takes other paths inside. `readonly` and `recursive` together are refused.',
      '- A `unix-char` needs `source`, in `/dev`, or `path`.',
      '- `boot.priority` is stored, without effect.',
    ].join('\n');
    await expect(
      page(
        'Devices',
        'core/{device-table,lxd-device-options}.ts',
        intro,
        table(['type', 'options', 'refused'], rows),
        rules,
      ),
    ).toMatchFileSnapshot('../../../../docs/devices.md');
  });

  it('has every route of the host API', async () => {
    const intro = [
      "The host API listens on `unix.socket` in the state directory. It speaks LXD's REST API: envelopes, operations,",
      'events. `GET /1.0/events` takes `type` and also `since` (a sequence number, or `now`): the stream then begins with',
      'the missed lifecycle events, and each event has its `sequence`. 410 means that the journal no longer has some of',
      'them. Of the events that an instance causes itself (`instance-ready`, `guest.*`, images that it fetches), the',
      "journal keeps the newest ones. In an instance's ETag its `guest.*` keys are a separate part, after a dash.",
      '',
      'On a member of a fleet, requests about instances and operations of other members are passed on to them. Lists of',
      'instances and operations, and the event stream, have those of all members, each with its `location`. An instance',
      'whose member does not answer has the status `Error`. `since` and `sequence` count the events of the own member',
      'only; events of a member that could not be reached for a time are missing from the stream. `POST /1.0/instances`',
      'takes `target`. Without `target`, the member with the fewest instances makes the instance.',
      '',
      "Networks are the loopback interface and the host's bridges, which nics can have as `parent`. The storage pool is",
      'the state directory. Clients can only read networks, the storage pool and the project.',
      '',
      '`GET /1.0/backups` lists the copies of the database, with the settings and why the last copy failed. `POST` makes a',
      'copy: the operation ends with its `name` and `size`. The extension is `porthole_backups`.',
      '',
      '`/1.0/cluster` says whether the host is a member of a fleet, which LXD calls a cluster. `POST` makes it a member',
      "(`server_name`, `address`; both may be absent), `DELETE` a single host again; `PUT` does the same in LXD's form. When",
      'the operation has succeeded, the daemon restarts in place. `DELETE /1.0/cluster/members/NAME` removes a member that is',
      'offline, with `force=1` also if it has instances. `target=NAME` in a request names the member that makes an instance, or',
      'whose own facts are read. If members have not confirmed a change in time, `porthole_unconfirmed` in the envelope, or in',
      'the metadata of the operation, has their names. The extension is `porthole_fleet`.',
      '',
      'Other paths get 404. Paths that LXD serves and Porthole does not (snapshots, volumes, ...) get 501 and a sentence.',
      'Other methods on the listed paths get 501.',
    ].join('\n');
    const rows = servedRoutes().map((route) => `- \`${route}\``);
    await expect(page('Host API', 'host/routes.ts', intro, rows.join('\n'))).toMatchFileSnapshot(
      '../../../../docs/host-api.md',
    );
  });

  it('has every attack that is tested, and no other', () => {
    const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
    const titles = ['attacks', 'revocation'].flatMap((name) =>
      [...read(`../../test/${name}.test.ts`).matchAll(/^ {2}(?:it|\]\))\(?'([^']+)', async/gm)].map(
        ([, title]) => title,
      ),
    );
    const section = read('../../../../docs/security.md')
      .split('\n## ')
      .find((text) => text.startsWith('Attacks'));
    const rows = [...(section ?? '').matchAll(/^\| (?!attack and claim)([^|-][^|]*?) \| [^|]+ \|$/gm)];
    const meta = 'says so in its log and in `porthole info`';
    expect(rows.map(([, title]) => title)).toEqual(titles.filter((title) => title !== meta));
  });
});
