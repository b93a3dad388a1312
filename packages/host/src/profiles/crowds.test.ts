import { beforeEach, describe, expect, it } from 'vitest';
import { Heart, BY } from '../instances/testing/heart.ts';

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addProfile('web', { config: { 'user.role': 'web' } });
});

const edit = (config: Record<string, string>) =>
  heart.host.profiles.update('web', { description: '', config, devices: {} }, BY);

describe('An edit of a profile with many users', () => {
  it('works', async () => {
    for (let number = 0; number < 250; number++) heart.add(`c${number}`, { profiles: ['default', 'web'] });
    await edit({ 'user.role': 'one' });
    expect(heart.model.view(7)?.config.get('user.role')).toBe('one');
    await edit({ 'user.role': 'two' });
    expect(heart.model.view(7)?.config.get('user.role')).toBe('two');
  });
});
