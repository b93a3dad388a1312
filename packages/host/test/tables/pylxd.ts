/** Expressions of a pylxd program, each with the exception that it gets: its class, status and text. */
export const REFUSALS: Readonly<Record<string, string>> = {
  // Not there.
  "client.containers.get('zz')": 'NotFound 404: Instance not found',
  "client.images.get_by_alias('zz')": 'NotFound 404: Image alias not found',
  "client.profiles.get('zz')": 'NotFound 404: Profile not found',
  "client.networks.get('zz')": 'NotFound 404: Network not found',
  "client.storage_pools.get('zz')": 'NotFound 404: Storage pool not found',
  "client.operations.get('zz')": 'NotFound 404: Operation not found',
  "run.files.get('/root/zz')": 'NotFound 404: Not Found',

  // Conflicts. Operations that fail have been answered with 200.
  "client.containers.create({'name': 'run', 'source': IMAGE}, wait=True)":
    'LXDAPIException 200: Failed creating instance record: Add instance info to the database: This "instances" entry already exists',
  "client.profiles.create('default')":
    'LXDAPIException 409: Error inserting "default" into database: The profile already exists',
  "client.profiles.get('default').delete()": 'LXDAPIException 403: The "default" profile cannot be deleted',
  "image.add_alias('busybox', '')": 'LXDAPIException 409: Alias "busybox" already exists',
  'client.images.create(image.export().read(), wait=True)':
    'LXDAPIException 200: Image with same fingerprint already exists',
  'run.start(wait=True)': 'LXDAPIException 200: The instance is already running',
  'stopped.stop(wait=True)': 'LXDAPIException 200: The instance is already stopped',
  "stopped.execute(['true'])": 'LXDAPIException 400: Instance is not running',
  'run.delete(wait=True)': 'LXDAPIException 400: Instance is running',

  // Bad values.
  "client.containers.create({'name': 'a_b', 'source': IMAGE}, wait=True)":
    'LXDAPIException 400: Invalid instance name: Name can only contain alphanumeric and hyphen characters',
  "changed(run, config={'nosuch': '1'})":
    'LXDAPIException 200: Invalid config: Unknown configuration key: nosuch',
  "client.images.create(b'no image', wait=True)": 'LXDAPIException 200: Unsupported compression',

  // What Porthole does not have.
  'run.snapshots.all()': 'LXDAPIException 501: Porthole has no snapshots of instances',
  "run.snapshots.create('s', wait=True)": 'LXDAPIException 501: Porthole has no snapshots of instances',
  "run.restore_snapshot('s', wait=True)": 'LXDAPIException 400: Porthole has no snapshots of instances',
  'stopped.publish(wait=True)':
    'LXDAPIException 400: Images are made from uploads only, not from other images, URLs or instances',
  "client.images.create_from_url('https://127.0.0.1/x')":
    'LXDAPIException 400: Images are made from uploads only, not from other images, URLs or instances',
  "client.images.create_from_simplestreams('https://127.0.0.1/', 'x')":
    'LXDAPIException 400: Images are made from uploads only, not from other images, URLs or instances',
  'image.copy(client)':
    'LXDAPIException 501: Porthole shares no images with other servers: export an image, and import it there',
  "client.networks.create('n', type='bridge')":
    'LXDAPIException 501: Porthole manages no networks: give a nic the bridge that you made as its parent',
  "client.networks.get('lo').delete()":
    'LXDAPIException 501: Porthole manages no networks: give a nic the bridge that you made as its parent',
  "client.storage_pools.create({'name': 'p', 'driver': 'dir'})":
    'LXDAPIException 501: Porthole has one storage pool, its state directory: it makes, changes and deletes none',
  "client.storage_pools.get('default').delete()":
    'LXDAPIException 501: Porthole has one storage pool, its state directory: it makes, changes and deletes none',
  "client.storage_pools.get('default').volumes.all()":
    'LXDAPIException 501: Porthole has no storage volumes: give an instance a folder of the host as a disk',
  "client.storage_pools.get('default').resources.get()":
    "LXDAPIExtensionNotAvailable: LXD API extension 'resources' is not available",
  "client.api.projects.post(json={'name': 'p'})":
    'LXDAPIException 501: Porthole has one project, default: it makes, changes and deletes none',
  'client.certificates.all()':
    'LXDAPIException 501: Porthole knows no certificates: everybody who may open its socket is an operator',
  'client.cluster.members.all()':
    'LXDAPIException 400: This server is not clustered: it is a single host, and `porthole cluster enable` makes it a member of a fleet',
};
