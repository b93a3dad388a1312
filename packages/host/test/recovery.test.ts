import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const { PATH } = process.env;

let daemon: TestDaemon;
let operator: Operator;
/** Folder of programs that the daemon finds before the host's. */
let bin: string;

beforeAll(async () => {
  bin = mkdtempSync('/var/tmp/porthole-test-bin-');
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  for (const name of ['c1', 'c2']) await operator.launch(name);
});
afterEach(() => {
  process.env['PATH'] = PATH;
});
afterAll(async () => {
  await daemon?.destroy();
  if (bin) rmSync(bin, { recursive: true });
});

/** Has the daemon run a script instead of `lxc-info`, from its next start on. */
function insteadOfLxcInfo(script: string): void {
  writeFileSync(join(bin, 'lxc-info'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env['PATH'] = `${bin}:${PATH}`;
}

const folders = () => readdirSync(join(daemon.stateDir, 'instances')).sort();
const noteOf = (index: number) => join(daemon.stateDir, 'instances', folders()[index] ?? '', 'run');

describe('the next daemon', () => {
  it('recognises running and frozen instances without asking LXC', async () => {
    const pid = await operator.pid('c1');
    await operator.state('c2', 'freeze');
    insteadOfLxcInfo(`touch ${bin}/asked; exit 1`);
    await daemon.kill();
    await daemon.start();
    expect(await operator.statuses()).toEqual({ c1: 'Running', c2: 'Frozen' });
    expect(await operator.pid('c1')).toBe(pid);
    expect(existsSync(join(bin, 'asked'))).toBe(false);
    await operator.state('c2', 'unfreeze');
    expect(await operator.sh('c2', 'devlxd /1.0/meta-data')).toContain('local-hostname: c2');
  });

  it('serves the other instances while it asks LXC about one, and holds requests for that one', async () => {
    const [one, two] = [await operator.pid('c1'), await operator.pid('c2')];
    insteadOfLxcInfo(`until [ -e ${bin}/go ]; do sleep 0.1; done; PATH=${PATH}; exec lxc-info "$@"`);
    await daemon.kill();
    rmSync(noteOf(1));
    const starting = daemon.start();
    await until('operators are answered', () =>
      operator.get('c1').then(
        () => true,
        () => false,
      ),
    );
    expect((await operator.get('c1')).status).toBe('Running');
    expect((await ask(daemon, { init: one }, '/1.0/meta-data')).body).toContain('local-hostname: c1');
    const guest = ask(daemon, { init: two }, '/1.0/meta-data');
    const [listed, patched] = [operator.statuses(), operator.patch('c2', { config: { 'user.x': '1' } })];
    writeFileSync(join(bin, 'go'), '');
    expect((await guest).body).toContain('local-hostname: c2');
    expect(await listed).toEqual({ c1: 'Running', c2: 'Running' });
    await patched;
    await starting;
    expect(await operator.pid('c2')).toBe(two);
  });

  it('is not delayed for long when LXC does not answer about one, and leaves that one alone', async () => {
    const pid = await operator.pid('c2');
    insteadOfLxcInfo('exec sleep 1000');
    await daemon.kill();
    rmSync(noteOf(1));
    await daemon.start();
    expect((await operator.get('c1')).status).toBe('Running');
    process.env['PATH'] = PATH;
    await daemon.kill();
    await daemon.start();
    expect(await operator.statuses()).toEqual({ c1: 'Running', c2: 'Running' });
    expect(await operator.pid('c2')).toBe(pid);
  });

  it('asks LXC when the file with the facts of a run is damaged', async () => {
    await daemon.kill();
    writeFileSync(noteOf(0), '{');
    await daemon.start();
    expect(await operator.statuses()).toEqual({ c1: 'Running', c2: 'Running' });
  });
});
