import { describe, expect, test as it } from 'vitest';
import { parseImageFields } from './image.ts';
import { parseInstancePatch, parseNewInstance, parseStatesRequest } from './instance.ts';
import { parseProfileFields } from './profile.ts';

describe('Names of fields', () => {
  it('may be in any case', () => {
    expect(parseProfileFields({ Config: { 'user.A': '1' }, DESCRIPTION: 'x' })).toMatchObject({
      config: { 'user.A': '1' },
      description: 'x',
    });
    expect(parseImageFields({ Auto_Update: true })).toMatchObject({ auto_update: true });
  });

  it('may be in any case in an object inside', () => {
    const { name, source } = parseNewInstance({ Name: 'c1', Source: { Type: 'image', ALIAS: 'bb' } });
    expect([name, source]).toEqual(['c1', { type: 'image', alias: 'bb' }]);
    expect(parseStatesRequest({ State: { Action: 'stop', FORCE: true } })).toMatchObject({ force: true });
  });

  it('are not those of config, devices and properties, whose case stays', () => {
    const { config, devices } = parseInstancePatch({
      config: { 'user.x': '1', 'USER.x': '2', Config: '3' },
      devices: { Root: { Type: 'disk' }, root: null },
    });
    expect(config).toEqual({ 'user.x': '1', 'USER.x': '2', Config: '3' });
    expect(devices).toEqual({ Root: { Type: 'disk' }, root: null });
  });

  it('count once: the last one that is not null', () => {
    expect(parseInstancePatch({ description: 'a', Description: 'b', DESCRIPTION: null })).toEqual({
      description: 'b',
    });
    expect(parseInstancePatch({ Description: null, description: 'a' })).toEqual({ description: 'a' });
  });

  it('that are unknown do no harm', () => {
    expect(parseInstancePatch(JSON.parse('{"__proto__":{"description":"x"},"bogus":1}'))).toEqual({});
  });
});
