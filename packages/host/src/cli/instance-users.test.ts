import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { HostClient } from '../client/host-client.ts';
import type { FakeHost } from '../client/testing/fake-host.ts';
import { startFakeHost } from '../client/testing/fake-host.ts';
import { findUser, runAs } from './instance-users.ts';

const FILES: Record<string, string> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001:Ann:/home/ann:/bin/bash\nodd:x:-1:5::/:\nbare:x:7:8\n',
  '/etc/group': 'root:x:0:\nstaff:x:50:ann\n',
};

let host: FakeHost;
let client: HostClient;
beforeEach(async () => {
  host = await startFakeHost();
  client = new HostClient(host.socketPath);
  host.routes['GET /1.0/instances/c1/files'] = ({ url }) => {
    const path = new URL(url, 'http://host').searchParams.get('path') ?? '';
    const raw = FILES[path];
    if (raw === undefined) return { error: [404, 'Not Found'] };
    return {
      raw,
      headers: { 'x-lxd-type': 'file', 'x-lxd-mode': '0644', 'x-lxd-uid': '0', 'x-lxd-gid': '0' },
    };
  };
});
afterEach(() => host.stop());

it('numbers are taken as they are, and nothing is read', async () => {
  expect(await runAs(client, 'c1', '1000', undefined)).toEqual({
    user: 1000,
    group: 0,
    environment: {},
    cwd: '',
  });
  expect(await runAs(client, 'c1', undefined, '5')).toMatchObject({ user: 0, group: 5 });
  expect(host.received).toEqual([]);
});

it('a name brings its group, home, shell and variables', async () => {
  expect(await runAs(client, 'c1', 'ann', undefined)).toEqual({
    user: 1000,
    group: 1001,
    environment: { HOME: '/home/ann', USER: 'ann', LOGNAME: 'ann', SHELL: '/bin/bash' },
    cwd: '/home/ann',
  });
  expect(await runAs(client, 'c1', 'ann', 'staff')).toMatchObject({ user: 1000, group: 50 });
  expect(await findUser(client, 'c1', '1000')).toMatchObject({ name: 'ann' });
  expect(await findUser(client, 'c1', 'bare')).toMatchObject({ uid: 7, gid: 8, home: '/', shell: '' });
});

it.each(['bob', 'odd', '', 'ann:x'])(
  'a user that the instance does not have is refused: "%s"',
  async (name) => {
    await expect(runAs(client, 'c1', name, undefined)).rejects.toThrow(
      `There is no user "${name}" in c1: its /etc/passwd has none`,
    );
  },
);

it('a group that it does not have is refused', async () => {
  await expect(runAs(client, 'c1', '0', 'ann')).rejects.toThrow('There is no group "ann" in c1');
});

it('an instance without these files takes numbers only', async () => {
  host.routes['GET /1.0/instances/c1/files'] = () => ({ error: [404, 'Not Found'] });
  await expect(runAs(client, 'c1', 'ann', undefined)).rejects.toThrow('c1 has no /etc/passwd');
  host.routes['GET /1.0/instances/c1/files'] = () => ({ error: [404, 'Instance not found'] });
  await expect(runAs(client, 'c1', 'ann', undefined)).rejects.toThrow('Instance not found');
});
