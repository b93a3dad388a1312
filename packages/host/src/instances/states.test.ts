import { beforeEach, describe, expect, it } from 'vitest';
import type { StateAction } from './requests.ts';
import { BY, Heart } from './testing/heart.ts';

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('on');
  await heart.addRunning('frozen');
  await heart.setState('frozen', 'freeze');
  heart.add('off');
});

const begin = (action: StateAction, force = true) =>
  heart.host.instances.setStates({ action, force, timeout: -1 }, BY);
const statuses = () => heart.host.instances.list().map(({ instance, status }) => [instance.name, status]);

describe('A change of the state of all instances', () => {
  it.each([
    ['start', ['off'], ['Frozen', 'Running', 'Running']],
    ['stop', ['on', 'frozen'], ['Stopped', 'Stopped', 'Stopped']],
    ['restart', ['on', 'frozen'], ['Running', 'Stopped', 'Running']],
    ['freeze', ['on'], ['Frozen', 'Stopped', 'Frozen']],
    ['unfreeze', ['frozen'], ['Running', 'Stopped', 'Running']],
  ] as const)('%s is one operation, with those that it applies to: %j', async (action, names, after) => {
    const operation = begin(action);
    expect(operation.resources).toEqual({ instances: names });
    await heart.done(operation);
    expect(statuses()).toEqual([
      ['frozen', after[0]],
      ['off', after[1]],
      ['on', after[2]],
    ]);
    await heart.done(operation);
    expect(heart.host.operations.list().at(-1)?.id).toBe(operation.id);
  });

  it('continues with the others if some fail, and names those that failed', async () => {
    await expect(heart.done(begin('restart', false))).rejects.toThrow(
      /^The following instances failed to update state:\n - Instance: frozen: Instance is not running: it is frozen, [^\n]*\n$/,
    );
    expect(heart.told.at(-1)).toBe('instance-restarted on');
  });

  it('does not change a busy instance', async () => {
    const held = heart.machine.faults.hold('setFrozen');
    const freezing = heart.setState('on', 'freeze');
    await held.reached;
    await expect(heart.done(begin('restart'))).rejects.toThrow(
      ' - Instance: on: Failed to create instance restart',
    );
    held.open();
    await freezing;
  });
});
