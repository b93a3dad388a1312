import { beforeEach, describe, expect, it } from 'vitest';
import { Heart } from './testing/heart.ts';

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1');
  heart.add('off');
  heart.told.length = 0;
});

describe('Freezing', () => {
  it('freezes an instance, and unfreezing makes it run again', async () => {
    await heart.setState('c1', 'freeze');
    expect(heart.run('c1').frozen).toBe(true);
    expect(heart.status('c1')).toBe('Frozen');
    await heart.setState('c1', 'unfreeze');
    expect(heart.run('c1').frozen).toBe(false);
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual(['instance-paused c1', 'instance-resumed c1']);
  });

  it('that fails changes nothing and makes no event', async () => {
    heart.machine.faults.refuse('setFrozen', new Error('no freezer'));
    await expect(heart.setState('c1', 'freeze')).rejects.toThrow('no freezer');
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual([]);
  });
});

describe('A change of state is refused', () => {
  it.each([
    ['off', 'freeze', 'Instance is not running'],
    ['off', 'unfreeze', 'Instance is not running'],
    ['off', 'stop', 'The instance is already stopped'],
    ['off', 'restart', 'The instance is already stopped'],
    ['c1', 'start', 'The instance is already running'],
    ['c1', 'unfreeze', 'The instance is not frozen'],
  ] as const)('%s, %s: %s', async (name, action, message) => {
    await expect(heart.setState(name, action)).rejects.toThrow(message);
    expect(heart.told).toEqual([]);
  });

  it('for a freeze of a frozen instance', async () => {
    await heart.setState('c1', 'freeze');
    await expect(heart.setState('c1', 'freeze')).rejects.toThrow('The instance is already frozen');
  });

  it('for an instance that does not exist', () => {
    expect(() => heart.setState('no', 'start')).toThrow('Instance not found');
  });

  it.each(['start', 'restart', 'freeze', 'unfreeze', 'stop'] as const)(
    'while another goes on: %s during a freeze',
    async (action) => {
      const held = heart.machine.faults.hold('setFrozen');
      const frozen = heart.setState('c1', 'freeze');
      await held.reached;
      expect(() => heart.setState('c1', action)).toThrow('Instance is busy running a "freeze" operation');
      held.open();
      await frozen;
    },
  );
});

describe('The operation of a change of state', () => {
  it.each([
    ['off', 'start', 'Starting instance'],
    ['c1', 'stop', 'Stopping instance'],
    ['c1', 'restart', 'Restarting instance'],
    ['c1', 'freeze', 'Freezing instance'],
  ] as const)('has a description: %s %s', async (name, action, description) => {
    const operation = await heart.setState(name, action);
    expect(operation).toMatchObject({ description, resources: { instances: [name] }, mayCancel: false });
  });
});

describe('A forced stop', () => {
  it('during a start is refused, since there is no run yet', async () => {
    const held = heart.machine.faults.hold('start');
    const started = heart.setState('off', 'start');
    await held.reached;
    expect(() => heart.setState('off', 'stop', { force: true })).toThrow('busy running a "start"');
    held.open();
    await started;
    expect(heart.status('off')).toBe('Running');
  });

  it('during a freeze ends the run at once, and the freeze fails', async () => {
    const held = heart.machine.faults.hold('setFrozen');
    const failed = expect(heart.setState('c1', 'freeze')).rejects.toThrow('it does not run');
    await held.reached;
    const stopped = heart.setState('c1', 'stop', { force: true });
    await heart.quiet();
    expect(heart.runs('c1')).toBe(false);
    held.open();
    await failed;
    await stopped;
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
  });

  it('of an ephemeral instance deletes it', async () => {
    await heart.addRunning('e1', { ephemeral: true });
    heart.told.length = 0;
    await heart.setState('e1', 'stop', { force: true });
    expect(heart.model.hasInstance('e1')).toBe(false);
    expect(heart.told).toEqual(['instance-deleted e1', 'instance-stopped e1']);
  });
});
