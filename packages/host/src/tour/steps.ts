import { TourFailure, type Transcript } from './transcript.ts';

/** One part of the tour: shows something and checks it. */
export interface Step {
  readonly title: string;
  readonly show: (tour: Transcript) => Promise<void>;
}

const IMAGE = 'busybox';
const FIRST = 'first';
const SECOND = 'second';

const inside = (name: string, ...command: string[]) => ['exec', name, '--', ...command];

/** The tour, in order. Every command in it can be typed by a user. */
export const STEPS: readonly Step[] = [
  { title: 'An image, made from the busybox of Debian', show: haveImage },
  { title: 'A first instance', show: haveFirst },
  { title: 'The instance asks its host, through /dev/lxd/sock', show: askRoot },
  { title: 'A key set on the host is read inside', show: setKey },
  { title: 'A second instance sees only its own keys', show: haveSecond },
  { title: 'Changes on the host arrive inside as events', show: followEvents },
  { title: 'The instance says that it is ready', show: sayReady },
  { title: 'Devices and meta-data, as cloud-init reads them', show: readMetaData },
  { title: 'The instance fetches an image', show: exportImage },
  { title: 'One key switches the guest API off, and on again', show: hideGuestApi },
];

/** Deletes what only the tour needed. `first` stays. */
export async function tidyUp(tour: Transcript): Promise<void> {
  await tour.quiet(['delete', SECOND, '--force']);
}

/** Deletes both instances, also when only one of them is there. @throws TourFailure if one is left */
export async function deleteAll(tour: Transcript): Promise<void> {
  for (const name of [FIRST, SECOND]) await tour.quiet(['delete', name, '--force']);
  const { text } = await tour.quiet(['list', '--format', 'csv', '--columns', 'n']);
  if (text.trim() !== '') throw new TourFailure(`The tour has left something behind: ${text.trim()}`);
}

/** The key that shows that an instance is the tour's own. */
const OWN_KEY = 'user.greeting';

/** @returns the status of an instance; undefined if there is none. @throws TourFailure if the tour has not made it */
async function ownStatus(tour: Transcript, name: string): Promise<string | undefined> {
  const { text } = await tour.quiet(['list', `^${name}$`, '--format', 'csv', '--columns', `s,${OWN_KEY}`]);
  if (text.trim() === '') return undefined;
  const [status, key] = text.trim().split(',');
  if (key) return status;
  throw new TourFailure(`there is an instance ${name} that the tour has not made (it has no key ${OWN_KEY})`);
}

async function haveImage(tour: Transcript): Promise<void> {
  const { text } = await tour.quiet(['image', 'alias', 'list', '--format', 'csv']);
  if (text.split('\n').some((line) => line.startsWith(`${IMAGE},`))) tour.say('It is here already.');
  else await tour.run(['image', 'build', IMAGE, '--public'], { prints: /[0-9a-f]{64}/ });
  await tour.run(['image', 'list'], { prints: /busybox/ });
}

async function haveFirst(tour: Transcript): Promise<void> {
  const status = await ownStatus(tour, FIRST);
  if (status === undefined) await tour.run(['launch', IMAGE, FIRST, '--config', `${OWN_KEY}=hello`]);
  else if (status === 'STOPPED') await tour.run(['start', FIRST]);
  else tour.say('It runs already.');
  await tour.run(['list'], { prints: /first.*(RUNNING|READY)/ });
}

async function askRoot(tour: Transcript): Promise<void> {
  await tour.run(inside(FIRST, 'ls', '-l', '/dev/lxd/sock'), { prints: /^s.*sock/m });
  await tour.run(inside(FIRST, 'devlxd', '/'), { prints: /^\["\/1\.0"\]$/m });
  await tour.run(inside(FIRST, 'devlxd', '/1.0'), {
    prints: /"api_version":"1\.0","instance_type":"container"/,
  });
}

async function setKey(tour: Transcript): Promise<void> {
  await tour.run(['config', 'set', FIRST, 'user.greeting=hello from the host']);
  await tour.run(inside(FIRST, 'devlxd', '/1.0/config'), { prints: /"\/1\.0\/config\/user\.greeting"/ });
  await tour.run(inside(FIRST, 'devlxd', '/1.0/config/user.greeting'), { prints: /^hello from the host$/m });
}

async function haveSecond(tour: Transcript): Promise<void> {
  if (await ownStatus(tour, SECOND)) await tour.quiet(['delete', SECOND, '--force']);
  await tour.run([
    'launch',
    IMAGE,
    SECOND,
    '--config',
    `${OWN_KEY}=I am the second`,
    '--config',
    'user.only=mine',
  ]);
  await tour.run(inside(SECOND, 'devlxd', '/1.0/config/user.greeting'), { prints: /^I am the second$/m });
  await tour.run(inside(SECOND, 'devlxd', '/1.0/config/user.only'), { prints: /^mine$/m });
  await tour.run(inside(FIRST, 'devlxd', '/1.0/config/user.only'), { code: 22, prints: /Not Found/ });
  await tour.run(inside(FIRST, 'devlxd', '/1.0/config/user.greeting'), { prints: /^hello from the host$/m });
}

async function followEvents(tour: Transcript): Promise<void> {
  const events = tour.watch(inside(FIRST, 'devlxd', '-i', 'events'));
  try {
    await events.line(/^HTTP\/1\.1 200 OK/);
    await tour.run(['config', 'set', FIRST, 'user.greeting=good evening']);
    await events.line(
      /"type":"config".*"key":"user\.greeting","old_value":"hello from the host","value":"good evening"/,
    );
    await tour.run([
      'config',
      'device',
      'add',
      FIRST,
      'docs',
      'disk',
      'source=/usr/share/doc',
      'path=/mnt/docs',
    ]);
    await events.line(/"type":"device".*"action":"added".*"name":"docs"/);
    await tour.run(inside(FIRST, 'ls', '-d', '/mnt/docs/base-files'), { prints: /base-files/ });
    await tour.run(['config', 'device', 'remove', FIRST, 'docs']);
    await events.line(/"type":"device".*"action":"removed".*"name":"docs"/);
  } finally {
    await events.end();
  }
}

async function sayReady(tour: Transcript): Promise<void> {
  await tour.run(inside(FIRST, 'devlxd', '-X', 'PATCH', '-d', '{"state":"Ready"}', '/1.0'));
  await tour.run(inside(FIRST, 'devlxd', '/1.0'), { prints: /"state":"Ready"/ });
  await tour.run(['list'], { prints: /first.*READY/ });
}

async function readMetaData(tour: Transcript): Promise<void> {
  await tour.run(inside(FIRST, 'devlxd', '/1.0/devices'), { prints: /"root":\{"path":"\/"/ });
  await tour.run(inside(FIRST, 'devlxd', '/1.0/meta-data'), {
    prints: /^#cloud-config\n\s*instance-id: [0-9a-f-]{36}\n\s*local-hostname: first$/m,
  });
}

async function exportImage(tour: Transcript): Promise<void> {
  const { text } = await tour.quiet(['image', 'list', '--format', 'json']);
  const images = JSON.parse(text) as {
    fingerprint: string;
    public: boolean;
    aliases: { name: string }[];
  }[];
  const image = images.find(({ aliases }) => aliases.some(({ name }) => name === IMAGE));
  if (!image) throw new TourFailure(`there is no image with the alias ${IMAGE}`);
  const { fingerprint } = image;
  const url = `/1.0/images/${fingerprint}/export`;
  tour.say('By default an instance may fetch no image; when it may, then public ones only.');
  await tour.quiet(['config', 'unset', FIRST, 'security.devlxd.images']);
  await tour.run(inside(FIRST, 'devlxd', url), { code: 22, prints: /Forbidden/ });
  await tour.run(['config', 'set', FIRST, 'security.devlxd.images=true']);
  await tour.run(['query', '-X', 'PATCH', '-d', '{"public":true}', `/1.0/images/${fingerprint}`]);
  try {
    await tour.run(inside(FIRST, 'devlxd', '-o', '/tmp/image', url));
  } finally {
    // The image may be an operator's, who has not made it public.
    if (!image.public)
      await tour.quiet(['query', '-X', 'PATCH', '-d', '{"public":false}', `/1.0/images/${fingerprint}`]);
  }
  await tour.run(inside(FIRST, 'sha256sum', '/tmp/image'), {
    prints: new RegExp(`^\\s*${fingerprint} `, 'm'),
  });
  tour.say('The checksum is the fingerprint: every byte arrived.');
}

async function hideGuestApi(tour: Transcript): Promise<void> {
  await tour.run(['config', 'set', FIRST, 'security.devlxd=false']);
  await tour.run(inside(FIRST, 'ls', '/dev/lxd'), { code: 1, prints: /No such file/ });
  await tour.run(inside(FIRST, 'devlxd', '/1.0'), { code: 7 });
  await tour.run(['config', 'set', FIRST, 'security.devlxd=true']);
  await tour.run(inside(FIRST, 'devlxd', '/1.0'), { prints: /"api_version":"1\.0"/ });
}
