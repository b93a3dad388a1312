import { describe, expect, it } from 'vitest';
import type { Container } from '../../core/container.ts';
import type { RuntimeAction } from '../contract/runtime.ts';
import { refuseAction } from './commands.ts';

const ID = 'ab'.repeat(32);
const EMPTY = { id: '', name: '', image: '', digest: '', labels: {}, owner: '', record: '' };
const web = (runtime: Container['runtime'], part: Partial<Container> = {}): Container => ({
  ...EMPTY,
  ...{ runtime, id: 'web', name: 'web', ...part },
});

const ACTIONS: readonly RuntimeAction[] = [
  ...(['exec', 'console', 'files', 'stop', 'kill', 'restart', 'freeze', 'unfreeze', 'start'] as const),
];

function refusal(action: RuntimeAction, container: Container | null): string {
  try {
    return refuseAction(action, container);
  } catch (error) {
    return (error as Error).message.replace('The instance is run by another runtime: ', '');
  }
}

const command = (action: RuntimeAction, container: Container) =>
  refusal(action, container).match(/ with `(.*)`$/)?.[1];

describe('the command of a refusal', () => {
  it.each<[Container, string[]]>([
    [
      web('podman', { id: ID }),
      [
        ...['podman exec web COMMAND', 'podman attach web', 'podman cp web:PATH PATH', 'podman stop web'],
        ...['podman kill web', 'podman restart web', 'podman pause web', 'podman unpause web'],
        'podman start web',
      ],
    ],
    [
      web('docker', { id: ID }),
      [
        ...['docker exec web COMMAND', 'docker attach web', 'docker cp web:PATH PATH', 'docker stop web'],
        ...['docker kill web', 'docker restart web', 'docker pause web', 'docker unpause web'],
        'docker start web',
      ],
    ],
    [
      web('oci'),
      [
        ...['runc exec web COMMAND', 'runc exec -t web sh', 'runc exec web cat PATH', 'runc kill web'],
        ...['runc kill web KILL', 'runc delete -f web && runc run -d -b BUNDLE web', 'runc pause web'],
        ...['runc resume web', 'runc delete -f web && runc run -d -b BUNDLE web'],
      ],
    ],
    [
      web('nspawn'),
      [
        ...[
          'machinectl shell web PATH ARGUMENTS',
          'machinectl login web',
          'machinectl copy-from web PATH PATH',
        ],
        ...['machinectl poweroff web', 'machinectl terminate web', 'machinectl reboot web'],
        ...['freeze', 'thaw'].map((verb) => `systemctl ${verb} "$(machinectl show web -p Unit --value)"`),
        'machinectl start web',
      ],
    ],
    [
      web('lxc', { record: '/var/lib/lxc/web' }),
      [
        ...['lxc-attach -n web -- COMMAND', 'lxc-console -n web', 'lxc-attach -n web -- cat PATH'],
        ...['lxc-stop -n web', 'lxc-stop -n web -k', 'lxc-stop -n web -r', 'lxc-freeze -n web'],
        ...['lxc-unfreeze -n web', 'lxc-start -n web'],
      ],
    ],
  ])('is that of the runtime, for each action: $runtime', (container, commands) => {
    expect(ACTIONS.map((action) => command(action, container))).toEqual(commands);
  });

  it.each<[string, Container, string]>([
    ['an id when there is no name', web('podman', { name: '', id: ID }), `podman stop ${ID}`],
    ['a name quoted for a shell', web('docker', { name: "it's; reboot" }), "docker stop 'it'\\''s; reboot'"],
    ['crun, from its state', web('oci', { record: '/run/crun/web' }), 'crun kill web'],
    [
      'the folder of runc',
      web('oci', { record: '/srv/a b/runc/web/state.json' }),
      "runc --root '/srv/a b/runc' kill web",
    ],
    ['runc for another record', web('oci', { record: '/srv/bundles/web' }), 'runc kill web'],
    ['the folder of LXC', web('lxc', { record: '/srv/lxc/web/config' }), 'lxc-stop -n web -P /srv/lxc'],
  ])('has %s', (_what, container, expected) => {
    expect(command('stop', container)).toBe(expected);
  });
});

it('there is no command when the container is not known', () => {
  expect(ACTIONS.map((action) => refusal(action, null))).toEqual([
    'run commands with it',
    'attach to its console with it',
    'copy files with it',
    'stop it there, or delete it here, which leaves its processes alone',
    'stop it there, or delete it here, which leaves its processes alone',
    'restart it there, or delete it here, which leaves its processes alone',
    'its processes are left alone',
    'its processes are left alone',
    'start it there, then adopt its new process',
  ]);
});
