import { expect, it } from 'vitest';
import type { StoredEvent } from '../core/entities.ts';
import { eventBytes, eventText, numberedEventBytes, numberedEventText } from './event-text.ts';

const EVENT: StoredEvent = {
  sequence: 7,
  instanceId: 1,
  type: 'config',
  timestamp: '2026-01-02T03:04:05.678Z',
  metadata: { value: 'ü', key: 'user.a', old_value: '' },
};

it('writes an event as one line of JSON, names in order, with or without its number', () => {
  const line =
    '{"type":"config","timestamp":"2026-01-02T03:04:05.678Z","metadata":{"key":"user.a","old_value":"","value":"ü"}';
  expect(eventText(EVENT)).toBe(`${line}}\n`);
  expect(numberedEventText(EVENT)).toBe(`${line},"sequence":7}\n`);
});

it('makes the bytes of an event once for all its readers', () => {
  expect(eventBytes(EVENT).toString()).toBe(eventText(EVENT));
  expect(eventBytes(EVENT)).toBe(eventBytes(EVENT));
  expect(numberedEventBytes(EVENT).toString()).toBe(numberedEventText(EVENT));
  expect(numberedEventBytes(EVENT)).toBe(numberedEventBytes(EVENT));
});
