import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it, vi } from 'vitest';
import { silentLog } from '../base/log.ts';
import { nextTurn } from '../base/slices.ts';
import type { Change, Instance, State } from '../core/entities.ts';
import { readRecords } from './read-records.ts';
import { RecordWriter } from './record-writer.ts';

let folder: string;
let writer: RecordWriter;
const instances = new Map<number, Instance>();
const state: State = { instances, profiles: new Map(), images: new Map(), aliases: new Map() };
const source = { state, numbers: () => ({ lastInstanceId: 7, position: 70 }) };

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-records-');
  instances.clear();
  writer = new RecordWriter(folder, silentLog);
});
afterEach(async () => {
  vi.useRealTimers();
  await writer.stop();
  rmSync(folder, { recursive: true });
});

function put(id: number, name: string, config = {}): Change {
  const instance: Instance = {
    ...{ id, name, architecture: 'x86_64', description: '', ephemeral: false, profiles: ['default'], config },
    ...{ devices: { d: { type: 'none' } }, createdAt: '', lastStartedAt: '' },
  };
  instances.set(id, instance);
  return { kind: 'put-instance', instance };
}

it('writes each object, so that it can be read again', async () => {
  put(1, 'c1', { 'user.a': 'b\n"ü' });
  await writer.begin(source);
  expect(readRecords(folder)).toEqual({ state, numbers: source.numbers(), damaged: [] });
  expect(statSync(join(folder, 'instance-1.json')).mode & 0o777).toBe(0o600);
});

it('writes an object that changes again and again once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await writer.begin(source);
  for (let turn = 0; turn < 100; turn++) writer.committed([put(1, 'c1', { 'user.n': `${turn}` })]);
  expect(vi.getTimerCount()).toBe(1);
  expect(readdirSync(folder)).not.toContain('instance-1.json');
  vi.runAllTimers();
  vi.useRealTimers();
  await writer.stop();
  expect(readRecords(folder).state.instances.get(1)?.config).toEqual({ 'user.n': '99' });
});

it('rests after each slice at a start, until it is stopped', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  for (let id = 1; id <= 250; id++) put(id, `c${id}`);
  const begun = writer.begin(source);
  const rests = async (count: number) => {
    while (vi.getTimerCount() === 0) await nextTurn();
    expect(readdirSync(folder)).toHaveLength(count);
  };
  await rests(100);
  vi.runAllTimers();
  await rests(200);
  const stopped = writer.stop();
  await begun;
  await stopped;
  expect(readdirSync(folder)).toHaveLength(200);
});

it('removes the record of an object that is gone, also one that the last daemon has left', async () => {
  put(1, 'c1');
  for (const name of ['instance-2.json', 'instance-3.json.tmp', 'mine.json'])
    writeFileSync(join(folder, name), '{}');
  await writer.begin(source);
  instances.delete(1);
  writer.committed([{ kind: 'delete-instance', id: 1 }]);
  await writer.stop();
  expect(readdirSync(folder).sort()).toEqual(['mine.json', 'numbers.json']);
});

it('leaves out a record that is damaged', async () => {
  put(1, 'c1');
  put(2, 'c2');
  await writer.begin(source);
  for (const text of ['', '{', '{}', '[]', '{"id":"1"}']) {
    writeFileSync(join(folder, 'instance-1.json'), text);
    const { state: read, damaged } = readRecords(folder);
    expect([[...read.instances.keys()], damaged]).toEqual([[2], ['instance-1.json']]);
  }
});

it('goes on when its folder cannot be written to', async () => {
  rmSync(folder, { recursive: true });
  put(1, 'c1');
  await writer.begin(source);
  writer.committed([put(1, 'c1')]);
  await writer.stop();
  writeFileSync(folder, '');
});
