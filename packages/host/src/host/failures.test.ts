import { describe, expect, test as it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { hostError } from '../core/host-errors.ts';
import { failureOf } from './failures.ts';

describe('a failure', () => {
  it('that was expected keeps its status and text', () => {
    expect(failureOf(hostError('instance-not-found'), silentLog)).toEqual({
      status: 404,
      message: 'Instance not found',
    });
  });

  it('that was not expected tells the client nothing, and the log everything', () => {
    const logged: object[] = [];
    const error = new Error('secret path /x');
    const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
    expect(failureOf(error, log)).toEqual({ status: 500, message: 'Internal server error' });
    expect(logged).toEqual([{ err: error }]);
  });

  it('of the framework keeps its status only when it is the client’s fault', () => {
    const error = (statusCode: number) =>
      Object.assign(new Error('odd'), { code: 'FST_ERR_BAD_URL', statusCode });
    expect(failureOf(error(400), silentLog)).toEqual({ status: 400, message: 'odd' });
    expect(failureOf(error(500), silentLog).message).toBe('Internal server error');
  });

  it('may be anything that can be thrown', () => {
    for (const thrown of [undefined, null, 'text', 7]) expect(failureOf(thrown, silentLog).status).toBe(500);
  });
});
