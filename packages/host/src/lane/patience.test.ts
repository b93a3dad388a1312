import { beforeEach, expect, it } from 'vitest';
import { PATIENCE_MS } from '../peer/held-callers.ts';
import { Patience } from './patience.ts';

let patience: Patience;
beforeEach(() => {
  patience = new Patience();
  patience.on = true;
});

it('lets a caller wait once, for its time', () => {
  expect(patience.allows(7, 0)).toBe(true);
  patience.begin(7, 'ns', 0);
  patience.begin(7, 'ns', 500);
  expect([patience.allows(7, PATIENCE_MS - 1), patience.allows(7, PATIENCE_MS)]).toEqual([true, false]);
  expect([patience.leftMs(400), patience.overdue(PATIENCE_MS - 1)]).toEqual([PATIENCE_MS - 400, undefined]);
  expect(patience.overdue(PATIENCE_MS)).toMatchObject({ fd: 7, namespace: 'ns' });
  expect(patience.leftMs(PATIENCE_MS)).toBe(Number.POSITIVE_INFINITY);
});

it('does not mistake a later connection for an earlier one with its number', () => {
  patience.begin(7, 'ns', 0);
  patience.end(7);
  expect(patience.allows(7, 10)).toBe(true);
  patience.begin(7, 'ns', 10);
  expect(patience.overdue(PATIENCE_MS)).toBeUndefined();
  expect(patience.overdue(PATIENCE_MS + 10)).toMatchObject({ fd: 7 });
});

it('lets no caller wait when no other program starts instances', () => {
  patience.on = false;
  expect(patience.allows(7, 0)).toBe(false);
});
