import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { BIN } from '../harness/daemon.ts';
import { LxcClient } from '../harness/lxc.ts';
import { Terminal } from '../harness/terminal.ts';

let lxc: LxcClient;
let editor: string;
/** File to which the editor adds each text that it has written. */
let edits: string;

/** An editor that changes the text by itself; then another command changes the same object. */
const EDITOR = `#!/bin/sh
sed -i 's/^description:.*/description: loser/; s/^public:.*/public: true/; s/^config: {}/config: {user.loser: 1}/' "$1"
cat "$1" >> "$EDITS"
sh -c "$OTHER" 2>/dev/null || true
`;

beforeAll(async () => {
  lxc = await LxcClient.start();
  editor = join(lxc.folder, 'editor');
  edits = join(lxc.folder, 'edits');
  writeFileSync(editor, EDITOR);
  chmodSync(editor, 0o755);
  await lxc.must('init', 'busybox', 'c1');
  await lxc.must('profile', 'create', 'p1');
});

afterAll(() => lxc?.destroy());

const porthole = join(BIN, 'porthole');

it.each([
  ['config edit c1', 'lxc config set c1 user.winner=1', 'config show c1'],
  ['config edit c1', 'lxc config device add c1 winner none', 'config show c1'],
  ['config edit c1', `${porthole} config set c1 user.winner=2`, 'config show c1'],
  ['profile edit p1', 'lxc profile set p1 user.winner=1', 'profile show p1'],
  ['profile edit p1', `${porthole} profile device add p1 winner none`, 'profile show p1'],
  ['image edit busybox', 'lxc image set-property busybox winner 1', 'image show busybox'],
  ['image edit busybox', `${porthole} image set-property busybox winner 2`, 'image show busybox'],
])('lxc %s is refused after %s in between', async (edit, other, show) => {
  const env = { ...lxc.env, PORTHOLE_DIR: lxc.daemon.stateDir, EDITOR: editor, VISUAL: editor };
  const terminal = new Terminal('lxc', edit.split(' '), { ...env, EDITS: edits, OTHER: other });
  await terminal.sees("Config parsing error: ETag doesn't match: ");
  await terminal.sees('Press enter to open the editor again or ctrl+c to abort change');
  // The client still has the old ETag: a second try does not help.
  terminal.type('\r');
  await terminal.sees("Config parsing error: ETag doesn't match: ");
  terminal.type('\x03');
  await terminal.ended;
  expect(existsSync(edits) && readFileSync(edits, 'utf8')).toMatch(/loser|public: true/);
  const shown = await lxc.must(...show.split(' '));
  expect(shown).toMatch('winner');
  expect(shown).not.toMatch(/loser|public: true/);
});

it.each([
  ['config edit c1', 'config show c1', 'description: loser'],
  ['profile edit p1', 'profile show p1', 'description: loser'],
  ['image edit busybox', 'image show busybox', 'public: true'],
])('lxc %s is stored when nothing else changes the object', async (edit, show, stored) => {
  const env = { ...lxc.env, EDITOR: editor, VISUAL: editor, EDITS: edits, OTHER: 'true' };
  expect(await new Terminal('lxc', edit.split(' '), env).ended).toBe(0);
  expect(await lxc.must(...show.split(' '))).toMatch(stored);
});
