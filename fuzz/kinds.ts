import type { TargetKind, TargetName } from './target.ts';
import { ARCHIVES } from './targets/archives.ts';
import { GUEST } from './targets/guest.ts';
import { HOST } from './targets/host.ts';
import { LANE } from './targets/lane.ts';
import { WEBSOCKET } from './targets/websocket.ts';

/** All targets. */
export const KINDS: Readonly<Record<TargetName, TargetKind>> = {
  guest: GUEST,
  host: HOST,
  archives: ARCHIVES,
  websocket: WEBSOCKET,
  lane: LANE,
};
