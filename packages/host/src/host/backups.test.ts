import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const STATE = { folder: '/copies', minutes: 60, count: 48, failure: null };

it('a copy is made by an operation, which says its name and size, and is listed then', async () => {
  expect((await harness.get('/1.0/backups')).json.metadata).toEqual({ ...STATE, copies: [] });
  const made = await harness.finished(await harness.send('POST', '/1.0/backups'));
  expect(made.json.metadata).toMatchObject({
    description: 'Backing up the database',
    status: 'Success',
    metadata: { name: 'copy1.db', size: 4096 },
  });
  expect((await harness.get('/1.0/backups')).json.metadata.copies).toEqual([
    { name: 'copy1.db', created_at: '2026-11-28T20:00:00.000Z', size: 4096 },
  ]);
});

it('the settings of copies are among the facts about the daemon', async () => {
  expect((await harness.get('/1.0')).json.metadata.porthole.backups).toEqual(STATE);
});

it('other methods are refused, and other projects have the same copies', async () => {
  expect((await harness.send('DELETE', '/1.0/backups')).status).toBe(501);
  expect((await harness.get('/1.0/backups?project=other')).json.metadata).toEqual({ ...STATE, copies: [] });
});
