import type { Row } from './row.ts';

const STATE = 'PUT /1.0/instances/c1/state';
const EXEC = 'POST /1.0/instances/c1/exec';

/** Actions that are refused. */
export const ACTIONS: readonly Row[] = [
  ['an unknown one', STATE, { action: 'explode' }, 400, "Unknown action: 'explode'"],
  ['no action', STATE, {}, 400, "Unknown action: ''"],
  ['a start of a running instance', STATE, { action: 'start' }, 400, 'The instance is already running'],
  [
    'a stop of a stopped instance',
    'PUT /1.0/instances/c2/state',
    { action: 'stop' },
    400,
    'The instance is already stopped',
  ],
  [
    'a timeout that is a text',
    STATE,
    { action: 'stop', timeout: '1' },
    400,
    'timeout: Invalid input: expected number, received string',
  ],
  ['an unknown instance', 'PUT /1.0/instances/none/state', { action: 'start' }, 404, 'Instance not found'],
  [
    'exec in a stopped instance',
    'POST /1.0/instances/c2/exec',
    { command: ['true'], 'wait-for-websocket': true },
    400,
    'Instance is not running',
  ],
  [
    'exec in an unknown instance',
    'POST /1.0/instances/none/exec',
    { command: ['true'], 'wait-for-websocket': true },
    404,
    'Instance not found',
  ],
  ['exec of nothing', EXEC, { command: [], 'wait-for-websocket': true }, 400, 'command: must not be empty'],
  [
    'exec of a text',
    EXEC,
    { command: 'true', 'wait-for-websocket': true },
    400,
    'command: Invalid input: expected array, received string',
  ],
  ['the cancellation of an unknown operation', 'DELETE /1.0/operations/none', '', 404, 'Operation not found'],
  [
    'an unknown operation',
    'GET /1.0/operations/11111111-1111-1111-1111-111111111111',
    '',
    404,
    'Operation not found',
  ],
];
