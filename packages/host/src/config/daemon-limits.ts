import { join } from 'node:path';
import type { BackupSettings } from '../backups/backups.ts';
import { DEFAULT_GUEST_LIMITS, type Limits as GuestLimits } from '../guest/guest-limits.ts';
import { DEFAULT_LIMITS, type ImageLimits } from '../images/image-limits.ts';
import type { JournalLimits } from '../store/sqlite/journal-limits.ts';
import type { DaemonConfig } from './config.ts';
import type { Settings } from './settings.ts';

const MS_PER_SECOND = 1000;

/** The guest API's limits: the defaults, with the values from the settings. */
export function guestLimits(settings: Settings): GuestLimits {
  return {
    ...DEFAULT_GUEST_LIMITS,
    headBytes: settings['guest-head-bytes'],
    bodyBytes: settings['guest-body-bytes'],
    requestTimeoutMs: settings['guest-request-seconds'] * MS_PER_SECOND,
    idleTimeoutMs: settings['guest-idle-seconds'] * MS_PER_SECOND,
    connectionsPerKey: settings['guest-connections'],
    connectionsTotal: settings['guest-connections-total'],
  };
}

/** The limits of images: the defaults, with the values from the settings. */
export function imageLimits(settings: Settings): ImageLimits {
  return {
    ...DEFAULT_LIMITS,
    uploadedBytes: settings['image-bytes'],
    unpackedBytes: settings['image-unpacked-bytes'],
    entries: settings['image-entries'],
  };
}

/** How many events are kept, and for how long. */
export function journalLimits(settings: Settings): JournalLimits {
  return {
    events: settings['journal-events'],
    sureEvents: settings['journal-sure-events'],
    instanceEvents: settings['journal-instance-events'],
    days: settings['journal-days'],
  };
}

/** Whose containers are adopted, and what becomes of their instances. */
export function adoptionSettings(settings: Settings): { uids: readonly number[]; forgets: boolean } {
  const uids = settings['rootless-uids'].split(',').filter((each) => each !== '');
  return { uids: uids.map(Number), forgets: settings['forget-removed'] === 'on' };
}

/** Where and how often copies of the database are made. */
export function backupSettings({ stateDir, settings }: DaemonConfig): BackupSettings {
  return {
    folder: settings['backup-folder'] || join(stateDir, 'backups'),
    count: settings['backup-count'],
    minutes: settings['backup-minutes'],
  };
}

/** What all instances that the daemon runs have. */
export function runtimeSettings(settings: Settings): { lxcfs: string; cpuWeight: number } {
  return { lxcfs: settings.lxcfs, cpuWeight: settings['instance-cpu-weight'] };
}
