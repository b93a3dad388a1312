/** A column of the picture: rooms that belong together. */
export interface Area {
  readonly title: string;
  /** Share of the width, in boxes that stand side by side. */
  readonly boxes: number;
  readonly fill: string;
  /** Rooms in the order in which they stand side by side, each with what it is for. */
  readonly rooms: Readonly<Record<string, string>>;
}

/** The columns from left to right. The floor of a room follows from its imports. */
export const AREAS: readonly Area[] = [
  {
    title: "the guest's edge",
    boxes: 4,
    fill: '#d9ead3',
    rooms: {
      native: 'system calls that Node does not have',
      http: 'a strict HTTP/1',
      peer: 'who is calling, by the kernel',
      sender: 'a thread: files onto sockets',
      events: 'what both APIs’ event streams share',
      guest: 'the guest API: routes, pure decisions, performers',
      lane: 'the fast lane: a thread that accepts, and answers plain requests',
    },
  },
  {
    title: 'the heart',
    boxes: 3,
    fill: '#fde2cf',
    rooms: {
      core: 'the rules, pure: keys, profiles, devices, views',
      etcd: 'a client of etcd',
      store: 'the SQLite file, all SQL; a fleet’s objects in etcd',
      backups: 'copies of the database, by a child process',
      records: 'a small file for each object',
      recovery: 'replaces a lost database',
      templates: 'makes files from templates of images, within limits',
      images: 'takes in, keeps, unpacks images',
      runtimes: 'the contract; LXC; adopted',
      model: 'all state in memory; events, operations, queues',
      instances: 'use cases: create, change, start, stop, exec ...',
      profiles: 'use cases of profiles',
      library: 'use cases of images, aliases',
      containers: 'adopts what other runtimes start, by their hooks',
      startup: 'what runs already, what is left over, what is to start',
      fleet: 'the members of a fleet, and the link between them',
    },
  },
  {
    title: "the operator's edge",
    boxes: 2,
    fill: '#d3e3f5',
    rooms: {
      wire: 'JSON shapes of the host API',
      client: 'speaks to the host API',
      build: 'a small image of busybox',
      cli: 'porthole, the program',
      host: 'the host API: routes, thin handlers',
      setup: 'what other managers need to be told',
      wrapper: 'an OCI runtime before the real one',
      tour: 'what npm start and porthole tour show',
    },
  },
  {
    title: 'the process',
    boxes: 1.8,
    fill: '#e6def0',
    rooms: {
      process: 'runs other programs, to their end',
      'service-manager': 'tells systemd',
      restart: 'ends, or hands over',
      config: 'settings, flags, defaults',
    },
  },
];

/** Rooms as wide as the picture, above or below all others. */
export const BARS: Readonly<Record<string, string>> = {
  base: 'tools that know nothing of instances: clock, log, coded errors',
  daemon: 'composition: builds every room, starts them in order, undoes that in reverse',
  'main.ts': 'the process portholed: signals, environment, exit code',
};

/** The legend of the picture; drawn where the first area has no room. */
export const LEGEND: readonly string[] = [
  'Each room stands above all that it imports; ↓ names that. base is for all.',
  'The edges never import each other, and the heart imports neither: all meet in daemon.',
];
