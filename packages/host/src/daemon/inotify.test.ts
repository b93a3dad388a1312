import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { prepareInotify } from './inotify.ts';

it('raises a limit that is too low, leaves another, and only warns when it may not raise any', () => {
  const folder = mkdtempSync('/var/tmp/porthole-inotify-');
  const of = (name: string) => join(folder, name);
  writeFileSync(of('max_user_instances'), '128\n');
  writeFileSync(of('max_user_watches'), '2000000\n');
  prepareInotify(silentLog, folder);
  expect(readFileSync(of('max_user_instances'), 'utf8')).toBe('1048576');
  expect(readFileSync(of('max_user_watches'), 'utf8')).toBe('2000000\n');
  rmSync(folder, { recursive: true });
  const warned: string[] = [];
  prepareInotify({ ...silentLog, warn: (_fields, message) => void warned.push(message) }, folder);
  expect(warned).toHaveLength(2);
});
