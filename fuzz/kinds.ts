import type { TargetKind, TargetName } from './target.ts';

import { GUEST } from './targets/guest.ts';

import { HOST } from './targets/host.ts';
import { LANE } from './targets/lane.ts';
import { WEBSOCKET } from './targets/websocket.ts';

/** All targets. */
export const KINDS: any = {
  guest: GUEST,
  host: HOST,
  websocket: WEBSOCKET,

  lane: LANE,
};
