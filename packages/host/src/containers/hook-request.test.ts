import { describe, expect, it } from 'vitest';
import { parseHookRequest } from './hook-request.ts';

const BOOT = '11111111-2222-4333-8444-555555555555';
const state = (part: object = {}) => JSON.stringify({ id: 'ab12', pid: 7, bundle: '/run/b', ...part });
const text = (json = state(), kind = 'createRuntime', uptime = '12.34 50.00') =>
  `${kind}\n${uptime}\n${BOOT}\n${json}\nend\n`;

describe('The request of a hook', () => {
  it('has its kind, its time in clock ticks, and the state of the container', () => {
    expect(parseHookRequest(text())).toEqual({
      moment: 'start',
      ticks: 1234n,
      bootId: BOOT,
      subject: { of: 'oci', id: 'ab12', pid: 7, bundle: '/run/b', annotations: {} },
    });
  });

  it('may have a state of several lines; only annotations that are texts count', () => {
    const json = '{"id":"a",\n"bundle":"/b",\n"annotations":{"dev.porthole.name":"web","n":1}}';
    const request = parseHookRequest(text(json, 'poststop'));
    expect(request?.subject).toEqual({
      of: 'oci',
      id: 'a',
      pid: 0,
      bundle: '/b',
      annotations: { 'dev.porthole.name': 'web' },
    });
  });

  it('of LXC has the name, the pid and the configuration of the container', () => {
    const lines = 'web\n7\n/var/lib/lxc/web/config';
    const subject = { of: 'lxc', id: '/var/lib/lxc/web/config', name: 'web', pid: 7 };
    expect(parseHookRequest(text(lines, 'start-host'))).toMatchObject({ moment: 'start', subject });
    expect(parseHookRequest(text('web\n\n/c', 'post-stop'))).toMatchObject({ moment: 'end' });
  });

  it('is not read before its last line is there', () => {
    const whole = text();
    for (const length of [0, 1, 20, whole.length - 1]) {
      expect(parseHookRequest(whole.slice(0, length))).toBeNull();
    }
  });

  it.each([
    ['another kind', text(state(), 'prestart'), 'there is no hook "prestart"'],
    ['no time', text(state(), 'poststop', 'soon'), 'the time of the request is missing'],
    ['no id', text(state({ id: '' })), 'the state has no id'],
    ['a bundle that is not a path', text(state({ bundle: 'b' })), 'the state has no bundle'],
    ['a state that is not an object', text('null'), 'the state has no id'],
    ['no configuration', text('web\n7\n', 'start-host'), 'the configuration of the container is missing'],
    ['no JSON', text('{'), 'JSON'],
  ])('with %s is refused', (_what, request, why) => {
    expect(() => parseHookRequest(request)).toThrow(why);
  });
});
