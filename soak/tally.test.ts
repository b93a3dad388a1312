import { beforeEach, describe, expect, it } from 'vitest';
import { Tally } from './tally.ts';

let tally: Tally;
beforeEach(() => {
  tally = new Tally();
});
const said = (guest: number, line: string) => tally.guestSaid(guest, line.split(' '));

describe('what guests say', () => {
  it('counts as answers with their times in ms, by kind, until they are taken', () => {
    said(3, 'answered kept 1500');
    said(4, 'answered main 20');
    tally.answered('change', 7);
    expect(tally).toMatchObject({ answers: 2, changes: 1 });
    expect(tally.takeTimes()).toEqual({ kept: [1.5], fresh: [], main: [0.02], state: [], change: [7] });
    expect(tally.takeTimes()).toMatchObject({ kept: [], change: [] });
  });

  it('counts as a failure, or as one of the time when the daemon was killed', () => {
    said(3, 'failed fresh refused Connection refused');
    tally.isKilled = true;
    said(5, 'failed kept refused Connection refused');
    tally.isKilled = false;
    tally.failure({ what: 'operator key', why: 'a reason' });
    expect(tally.failed.kept).toEqual([
      'guest-3 fresh: refused Connection refused',
      'operator key: a reason',
    ]);
    expect(tally.whileKilled.count).toBe(1);
  });

  it('is wrong when it says so, whether the daemon was killed or not', () => {
    tally.isKilled = true;
    said(3, 'wrong id guest-4');
    expect(tally.wrong).toMatchObject({ count: 1, kept: ['guest-3: id guest-4'] });
  });

  it('tells the last value of each key that each guest knows', () => {
    said(3, 'event user.tick guest-3-1');
    said(3, 'event user.tick guest-3-2');
    said(3, 'event user.shared 9');
    expect(tally.lastOf(3, 'user.tick')).toBe('guest-3-2');
    expect(tally.lastOf(3, 'user.shared')).toBe('9');
    expect(tally.lastOf(4, 'user.tick')).toBeUndefined();
    expect(tally.events).toBe(3);
  });

  it('tells whose streams are open, and counts those that ended', () => {
    said(3, 'opened');
    said(4, 'opened');
    said(3, 'closed');
    expect([...tally.listening]).toEqual([4]);
    said(3, 'opened');
    expect(tally.listening.size).toBe(2);
    expect(tally.reconnects).toBe(1);
  });
});

it('counts all failures, and keeps the first ones', () => {
  for (let number = 0; number < 80; number++) tally.failure({ what: 'key', why: `${number}` });
  expect(tally.failed.count).toBe(80);
  expect(tally.failed.kept).toHaveLength(50);
});
