import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { until } from '../harness/api.ts';
import { LxcClient, outputOf } from '../harness/lxc.ts';

let lxc: LxcClient;

beforeAll(async () => {
  lxc = await LxcClient.start();
});

afterAll(() => lxc?.destroy());

/** Runs a monitor until the work is done and the output has `last`. @returns the output */
async function monitor(args: string[], work: () => Promise<unknown>, last: string): Promise<string> {
  const child = lxc.spawn('monitor', ...args);
  const output = outputOf(child);
  const exit = once(child, 'exit');
  try {
    // The monitor shows only events from when it listens, so a profile is created and deleted until it shows
    // one.
    await until('the monitor listens', async () => {
      await lxc.must('query', '-X', 'POST', '-d', '{"name":"probe"}', '/1.0/profiles');
      await lxc.must('profile', 'delete', 'probe');
      return output.text.includes('profile-deleted');
    });
    await work();
    await until(`${last} is told`, () => output.text.includes(last));
    return output.text;
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}

interface Told {
  readonly metadata: { readonly action: string; readonly source: string; readonly requestor?: unknown };
}

describe('monitor', () => {
  it('shows the lifecycle of an instance with the event names of LXD', async () => {
    const work = async () => {
      await lxc.must('launch', 'busybox', 'c1');
      await lxc.must('config', 'set', 'c1', 'user.a=1');
      await lxc.must('exec', 'c1', '--', 'true');
      await lxc.must('pause', 'c1');
      await lxc.must('start', 'c1');
      await lxc.must('restart', 'c1');
      await lxc.must('stop', 'c1');
      await lxc.must('rename', 'c1', 'c2');
      await lxc.must('start', 'c2');
      await lxc.must('delete', '--force', 'c2');
    };
    const text = await monitor(['--type=lifecycle', '-f', 'json'], work, 'instance-deleted');
    const events = text
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Told)
      .filter(({ metadata }) => metadata.action.startsWith('instance-'));
    expect(events.map(({ metadata }) => `${metadata.action} ${metadata.source.split('/').at(-1)}`)).toEqual([
      'instance-created c1',
      'instance-started c1',
      'instance-updated c1',
      'instance-exec c1',
      'instance-paused c1',
      'instance-resumed c1',
      'instance-restarted c1',
      'instance-shutdown c1',
      'instance-renamed c2',
      'instance-started c2',
      'instance-stopped c2',
      'instance-deleted c2',
    ]);
    const started = events.find(({ metadata }) => metadata.action === 'instance-started');
    expect(started?.metadata.requestor).toEqual({ username: 'root', protocol: 'unix', address: '@' });
  });

  it('shows operations and lifecycle as YAML', async () => {
    const work = async () => {
      await lxc.must('init', 'busybox', 'c1');
      await lxc.must('delete', 'c1');
    };
    const text = await monitor([], work, 'instance-deleted');
    const types = parseAllDocuments(text.replaceAll(/\n\n+/g, '\n---\n')).map(
      (document) => (document.toJS() as { type?: string } | null)?.type,
    );
    expect(types).toContain('operation');
    expect(types).toContain('lifecycle');
  });

  it('has a pretty format for all events', async () => {
    const work = async () => {
      await lxc.must('launch', 'busybox', 'c1');
      await lxc.must('exec', 'c1', '--', 'devlxd', '-d', '{"state":"Ready"}', '/1.0');
      await lxc.must('delete', '--force', 'c1');
    };
    const text = await monitor(['--pretty'], work, 'instance-deleted');
    expect(text).toMatch('instance-ready');
  });
});

describe('query', () => {
  it('sends any request', async () => {
    expect(JSON.parse(await lxc.must('query', '/1.0/instances'))).toEqual([]);
    await lxc.must('init', 'busybox', 'c1');
    await lxc.must('query', '-X', 'PATCH', '-d', '{"config":{"user.q":"1"}}', '/1.0/instances/c1');
    expect(await lxc.must('config', 'get', 'c1', 'user.q')).toBe('1\n');
    const start = ['-X', 'PUT', '-d', '{"action":"start"}', '--wait', '/1.0/instances/c1/state'];
    expect(JSON.parse(await lxc.must('query', ...start))).toMatchObject({ status: 'Success', err: '' });
    expect(
      JSON.parse(await lxc.must('query', '/1.0/instances?recursion=1&filter=status+eq+running')),
    ).toMatchObject([{ name: 'c1' }]);
    expect(await lxc.refusal('query', '/1.0/instances/none')).toBe('Instance not found');
    await lxc.must('delete', '--force', 'c1');
  });
});

describe('another remote', () => {
  it('reaches the same daemon by the path of its socket', async () => {
    await lxc.must('remote', 'add', 'other', `unix://${join(lxc.daemon.stateDir, 'unix.socket')}`);
    await lxc.must('launch', 'other:busybox', 'other:c1');
    expect(await lxc.must('list', 'other:', '-f', 'csv', '-c', 'ns')).toBe('c1,RUNNING\n');
    expect(await lxc.must('exec', 'other:c1', '--', 'echo', 'hi')).toBe('hi\n');
    await lxc.must('delete', '--force', 'other:c1');
    await lxc.must('remote', 'remove', 'other');
  });
});

describe('without a daemon', () => {
  it('the client says so', async () => {
    await lxc.must('init', 'busybox', 'c1');
    await lxc.daemon.stop();
    rmSync(lxc.daemon.hostSocket, { force: true });
    expect(await lxc.refusal('list')).toMatch(/LXD unix socket.*not found|no such file/);
    await lxc.daemon.start();
    expect(await lxc.must('list', '-f', 'csv', '-c', 'n')).toBe('c1\n');
  });
});
