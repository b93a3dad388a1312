import { describe, expect, it } from 'vitest';
import { ADOPTED, adoptedInit, checkAdopted, isAdopted, withAdopted } from './adopted.ts';

const init = { pid: 4242, startTime: '81723', bootId: '01234567-89ab-cdef-0123-456789abcdef' };

describe('volatile.adopted', () => {
  it('names a process by pid, start time and boot id', () => {
    const config = withAdopted({ 'user.a': '1' }, init);
    expect(config).toEqual({ 'user.a': '1', [ADOPTED]: `4242:81723:${init.bootId}` });
    expect(adoptedInit(config)).toEqual(init);
    expect(isAdopted(config)).toBe(true);
    expect(() => checkAdopted(config[ADOPTED] ?? '')).not.toThrow();
  });

  it('is removed from the config of an instance that Porthole runs', () => {
    const config = withAdopted({ [ADOPTED]: `1:1:${init.bootId}` }, null);
    expect(config).toEqual({});
    expect([isAdopted(config), adoptedInit(config)]).toEqual([false, null]);
  });

  it.each(['', '1', '1:2', `:2:${init.bootId}`, `1:2:${init.bootId}:`, `-1:2:${init.bootId}`, '1:2:x'])(
    'names no process as %j, and the check refuses it',
    (value) => {
      expect(adoptedInit({ [ADOPTED]: value })).toBeNull();
      expect(() => checkAdopted(value)).toThrow();
    },
  );
});
