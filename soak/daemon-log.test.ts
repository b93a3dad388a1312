import { beforeEach, describe, expect, it } from 'vitest';
import { DaemonLog } from './daemon-log.ts';

let log: DaemonLog;
beforeEach(() => {
  log = new DaemonLog();
});
const line = (level: string, msg: string) => `${JSON.stringify({ level, msg })}\n`;

describe('the log of a daemon', () => {
  it('is read line by line, however it is cut', () => {
    const text = line('warn', 'slow') + line('error', 'broken');
    for (const letter of text) log.hear(letter);
    expect(log.complaints.map(({ msg }) => msg)).toEqual(['slow', 'broken']);
  });

  it('has complaints: warnings, errors, and what is no line of a log', () => {
    log.hear(
      `${line('info', 'daemon started')}${line('warn', 'slow')}${line('warn', 'slow')}Error: at x.ts:3\n`,
    );
    expect(log.counts()).toEqual({ 'warn: slow': 2, 'none: Error: at x.ts:3': 1 });
  });

  it('tells when a message comes that is waited for, not one that came before', async () => {
    log.hear(line('info', 'daemon started'));
    let isThere = false;
    const logged = log.logged('daemon started').then(() => {
      isThere = true;
    });
    log.hear(line('info', 'another'));
    await Promise.resolve();
    expect(isThere).toBe(false);
    log.hear(line('info', 'daemon started'));
    await logged;
  });

  it('gives what was measured inside, once', () => {
    const soak = { heap: 5, p50: 1, p99: 2, max: 3 };
    log.hear(`${JSON.stringify({ soak })}\n`);
    expect(log.takeInside()).toEqual([soak]);
    expect(log.takeInside()).toEqual([]);
    expect(log.complaints).toEqual([]);
  });
});
