import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { BY, Heart } from './testing/heart.ts';
import { telling } from './testing/test-store.ts';

const OLD = { 'limits.memory': '64MiB', 'limits.cpu': '1' };

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1', { config: OLD });
});

const update = (limits: Config) => {
  const { 'limits.memory': _memory, 'limits.cpu': _cpu, ...config } = heart.get('c1').config;
  const wanted = { ...heart.get('c1'), config: { ...config, ...limits } };
  return heart.done(heart.host.instances.update('c1', wanted, BY));
};
const applied = () => ({ ...Object.fromEntries(heart.run('c1').limits) });
const stored = () => heart.get('c1').config['limits.memory'];

describe('Limits of a running instance', () => {
  it('change at once: set, changed and unset', async () => {
    await update({ 'limits.memory': '32MiB', 'limits.processes': '20' });
    expect(applied()).toEqual({ 'limits.memory': '32MiB', 'limits.processes': '20' });
  });

  it('change with a profile in all its users that do not set them themselves', async () => {
    heart.addProfile('small', {});
    await heart.addRunning('c2', { profiles: ['default', 'small'] });
    await heart.addRunning('c3', { profiles: ['default', 'small'], config: OLD });
    await heart.host.profiles.update(
      'small',
      { description: '', config: { 'limits.memory': '8MiB' }, devices: {} },
      BY,
    );
    expect(['c2', 'c3'].map((name) => heart.run(name).limits.get('limits.memory'))).toEqual([
      '8MiB',
      '64MiB',
    ]);
  });

  it('stay as they were, in the store too, when the kernel refuses one', async () => {
    heart.machine.faults.refuse('setLimits', new Error('busy'), { once: true });
    await expect(update({ 'limits.memory': '32MiB' })).rejects.toThrow('busy');
    expect([applied()['limits.memory'], stored()]).toEqual(['64MiB', '64MiB']);
  });

  it('are put back by the next daemon when the change was cut off before its commit', async () => {
    heart.store.dieAt('before', telling('instance-updated'));
    void update({ 'limits.memory': '32MiB', 'limits.processes': '20' });
    await heart.life.ended;
    expect(applied()['limits.memory']).toBe('32MiB');
    const next = await heart.crash();
    await next.settle();
    expect(next.run('c1').limits).toEqual(new Map(Object.entries({ ...OLD, 'limits.processes': undefined })));
  });

  it('of a profile are refused with the name of the instance that cannot take them', async () => {
    heart.addProfile('small', {});
    const small = { profiles: ['default', 'small'] };
    for (const name of ['c2', 'c3', 'c4']) await heart.addRunning(name, small);
    const edit = (config: Config) =>
      heart.host.profiles.update('small', { description: '', config, devices: {} }, BY);
    await heart.setState('c2', 'stop');
    await expect(edit({ 'limits.kernel.nofile': '100' })).rejects.toThrow(
      /^limits\.kernel\.nofile cannot change while the instance runs: stop it first \(instance c3\)$/,
    );
    heart.machine.faults.refuse('setLimits', hostError('limit-failed', 'limits.memory', 'busy'), {
      subject: String(heart.get('c4').id),
    });
    await expect(edit({ 'limits.memory': '8MiB' })).rejects.toThrow(
      /^Failed to apply limits\.memory: busy \(instance c4\)$/,
    );
    expect(heart.run('c3').limits.get('limits.memory')).toBeUndefined();
    expect(heart.model.state.profiles.get('small')?.config).toEqual({});
  });

  it('of the kind limits.kernel.* are refused: processes have inherited them', async () => {
    const work = update({ ...OLD, 'limits.kernel.nofile': '100' });
    await expect(work).rejects.toThrow(
      'limits.kernel.nofile cannot change while the instance runs: stop it first',
    );
    await heart.setState('c1', 'stop');
    await update({ ...OLD, 'limits.kernel.nofile': '100' });
    expect(heart.get('c1').config['limits.kernel.nofile']).toBe('100');
  });
});
