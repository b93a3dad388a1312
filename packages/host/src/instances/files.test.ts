import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NewFile } from './requests.ts';
import { Heart } from './testing/heart.ts';

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.add('off');
  await heart.addRunning('c1');
  heart.told.length = 0;
});

const file = (content: string, part: Partial<NewFile> = {}): NewFile => ({
  type: 'file',
  uid: 0,
  gid: 0,
  mode: null,
  append: false,
  content: Readable.from([content]),
  ...part,
});

describe.each(['c1', 'off'])('Files of an instance (%s)', (name) => {
  it('can be written, read, looked at and removed, with events', async () => {
    const { files } = heart.host;
    await files.write(name, '/a', file('text', { mode: 0o600 }));
    expect(await files.stat(name, '/a')).toMatchObject({ type: 'file', mode: 0o600, size: 4 });
    expect(await text((await files.read(name, '/a')).content)).toBe('text');
    await files.write(name, '/a', file(' more', { append: true }));
    expect((await files.stat(name, '/a')).size).toBe(9);
    await files.delete(name, '/a');
    await expect(files.stat(name, '/a')).rejects.toThrow('Not Found');
    expect(heart.told).toEqual(
      ['pushed', 'retrieved', 'pushed', 'deleted'].map((what) => `instance-file-${what} ${name}`),
    );
  });

  it('make no event if the work on them fails', async () => {
    heart.machine.faults.refuse('files', new Error('too deep'));
    await expect(heart.host.files.read(name, '/a')).rejects.toThrow('too deep');
    expect(heart.told).toEqual([]);
  });

  it('are worked on at most eight at a time', async () => {
    const held = Array.from({ length: 8 }, () => heart.machine.faults.hold('filesEnd'));
    const { files } = heart.host;
    const results = Promise.all(held.map((_, index) => files.write(name, `/${index}`, file('x'))));
    await heart.quiet();
    await expect(files.stat(name, '/0')).rejects.toThrow('Too many file transfers');
    for (const each of held) {
      each.open();
      await heart.quiet();
    }
    await results;
    expect((await files.stat(name, '/7')).size).toBe(1);
  });
});

describe('The files of a stopped instance', () => {
  it('delay its start while they are worked on', async () => {
    const held = heart.machine.faults.hold('filesEnd');
    await heart.host.files.write('off', '/a', file('x'));
    const started = heart.setState('off', 'start');
    await held.reached;
    await heart.quiet();
    expect(heart.runs('off')).toBe(false);
    held.open();
    await started;
    expect(heart.runs('off')).toBe(true);
  });

  it('include its root, which is unpacked if it is missing', async () => {
    heart.addImage();
    heart.add('new', { config: { 'volatile.base_image': 'f'.repeat(64) } });
    await heart.host.files.write('new', '/a', file('x'));
    expect(heart.machine.roots.has(`${'f'.repeat(64)}-100000`)).toBe(true);
  });

  it('cannot be reached if the root cannot be made', async () => {
    heart.add('new', { config: { 'volatile.base_image': 'f'.repeat(64) } });
    await expect(heart.host.files.stat('new', '/a')).rejects.toThrow('Image not found');
    await expect(heart.setState('new', 'start')).rejects.toThrow('Image not found');
  });
});

describe('The files of a running instance', () => {
  it('do not delay its stop while they are worked on', async () => {
    const held = heart.machine.faults.hold('filesEnd');
    await heart.host.files.write('c1', '/a', file('x'));
    await held.reached;
    await heart.setState('c1', 'stop');
    expect(heart.status('c1')).toBe('Stopped');
    held.open();
  });
});

describe('Files are refused', () => {
  it('of an instance that does not exist', async () => {
    await expect(heart.host.files.stat('no', '/a')).rejects.toThrow('Instance not found');
  });

  it('of an instance of another runtime', async () => {
    heart.add('a1', { config: { 'volatile.adopted': '7:1:11111111-2222-4333-8444-555555555555' } });
    await expect(heart.host.files.stat('a1', '/a')).rejects.toThrow('copy files with it');
  });
});
