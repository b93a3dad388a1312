import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { type Finished, run } from '../src/process/run.ts';
import { BIN, mountsBelow } from './harness/daemon.ts';
import { LxcClient } from './harness/lxc.ts';
import { Operator } from './harness/operator.ts';
import { Terminal } from './harness/terminal.ts';

let lxc: LxcClient;
let operator: Operator;

beforeAll(async () => {
  lxc = await LxcClient.start();
  operator = new Operator(lxc.daemon);
  await operator.create('c1');
});

afterAll(async () => {
  await lxc?.destroy();
  expect(mountsBelow(lxc.daemon.stateDir)).toEqual([]);
});

function porthole(words: string, input = ''): Promise<Finished> {
  const env = { ...(process.env as Record<string, string>), PORTHOLE_DIR: lxc.daemon.stateDir };
  return run(join(BIN, 'porthole'), words.split(' '), { env, input, timeoutMs: 30_000 });
}

async function result(words: string, input = ''): Promise<string> {
  const { code, stdout, stderr } = await porthole(words, input);
  expect([words, code, stderr]).toEqual([words, 0, expect.not.stringContaining('Error')]);
  return stdout;
}

const profile = (name: string) =>
  operator.client.get<{ config: Record<string, string>; devices: object }>(`/1.0/profiles/${name}`);

describe('an editor on a terminal', () => {
  /** Starts an edit of c1 in an editor that reports its start, and presses Ctrl-C there. */
  async function interrupt(script: string): Promise<Terminal> {
    const editor = join(lxc.folder, 'editor');
    writeFileSync(editor, `#!/bin/sh\n${script}`, { mode: 0o755 });
    const env = { PORTHOLE_DIR: lxc.daemon.stateDir, EDITOR: editor, VISUAL: '' };
    const terminal = new Terminal(join(BIN, 'porthole'), ['config', 'edit', 'c1'], env);
    await terminal.sees('editing');
    terminal.type('\x03');
    return terminal;
  }

  it('gets Ctrl-C for itself, and its text is saved', async () => {
    const terminal = await interrupt(`
      trap 'echo interrupted' INT
      echo editing
      until read line; do :; done
      sed -i 's/^config:/config:\\n  user.typed: '"$line/" "$1"`);
    await terminal.sees('interrupted');
    terminal.type('after\n');
    expect([await terminal.ended, terminal.text]).toEqual([0, expect.not.stringContaining('Error')]);
    expect((await operator.get('c1')).config['user.typed']).toBe('after');
  });

  it('that ends at Ctrl-C leaves everything as it was, and its text in a file', async () => {
    const terminal = await interrupt('echo half: >> "$1"; echo editing; exec sleep 60');
    await terminal.sees('Error: ');
    await terminal.sees('Your text is kept in ');
    expect(await terminal.ended).toBe(1);
    expect((await operator.get('c1')).config['user.typed']).toBe('after');
    const kept = terminal.text.trim();
    expect((await run('rm', ['-r', join(kept, '..')])).ok).toBe(true);
  });
});
