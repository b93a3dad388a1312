/** Command lines of the stock client, where `c1` runs and `c2` does not. */
type Commands = readonly string[];

/** Commands that the client itself refuses, because the daemon does not announce the API extension. */
export const BY_EXTENSION: Readonly<Record<string, Commands>> = {
  network_acl: ['network acl list', 'network acl create a'],
  network_forward: ['network forward list n'],
  network_peer: ['network peer list n'],
  network_dns: ['network zone list', 'network zone create z'],
  network_state: ['network info lo'],
  network_leases: ['network list-leases n'],
  resources: ['storage info default'],
  storage_api_volume_rename: ['storage volume rename default v w'],
  custom_volume_backup: ['storage volume export default v', 'storage volume import default backup'],
  clustering_join_token: ['cluster add m'],
  project_usage: ['project info default'],
  instance_all_projects: ['list --all-projects'],
  container_copy_project: ['move c1 c9 --target-project p'],
  warnings: ['warning list', 'warning show 1', 'warning delete 1', 'warning acknowledge 1'],
  container_backup: ['export c1 backup', 'import backup'],
  container_edit_metadata: [
    ...['config metadata show c1', 'config metadata edit c1', 'config template list c1'],
    ...['config template create c1 t', 'config template show c1 t', 'config template delete c1 t'],
  ],
  console_vga_type: ['console c1 --type vga'],
  snapshot_expiry: ['config edit c1/s'],
  certificate_token: ['config trust add --name x'],
  certificate_update: ['config trust edit x'],
  image_force_refresh: ['image refresh busybox'],
};

/** Commands that the daemon refuses, by its reason. */
export const BY_DAEMON: Readonly<Record<string, Commands>> = {
  'Porthole has no snapshots of instances': [
    ...['snapshot c1', 'snapshot c1 s --stateful', 'restore c1 s', 'delete c1/s', 'rename c1/s c1/t'],
    ...['config show c1/s', 'copy c1/s c9'],
  ],
  'Instances are made from images only, not from other instances or backups': [
    'copy c1 c9',
    'move c1 c9 -s p',
  ],
  'Migration is not supported: an instance stays on its host': ['copy c1 other:c9', 'move c1 other:c9'],
  'Images are made from uploads only, not from other images, URLs or instances': [
    ...['publish c2', 'publish c2 --force', 'publish c1/s', 'image import https://127.0.0.1:1/x'],
  ],
  'Porthole knows no certificates: everybody who may open its socket is an operator': [
    ...['config trust list', 'config trust show x', 'config trust remove x'],
    'query -X POST -d {} /1.0/certificates',
  ],
  'This server is not clustered: it is a single host, and `porthole cluster enable` makes it a member of a fleet':
    [
      ...['init busybox c9 --target m', 'launch busybox c9 --target m', 'query /1.0/cluster/members'],
      ...['cluster show m', 'cluster remove m', 'cluster set m user.x=1', 'cluster role add m r'],
    ],
  'A fleet needs etcd: give the daemon the settings store and etcd-endpoints, and start it again': [
    'cluster enable m',
  ],
  'Members have no roles, groups or config, and keep their names: they can be shown and removed': [
    'cluster rename m n',
  ],
  'Stateful stop and start are not supported: Porthole does not save what runs': ['stop c1 --stateful'],
  'Instance types such as "c1.small" are not supported: set limits.*': ['init busybox c9 -t c1.small'],
  'Instance type not supported: virtual-machine': ['init --empty c9 --vm'],
  'Storage volumes are not supported by Porthole': ['storage volume attach default v c1 /mnt'],
  'Porthole manages no networks: give a nic the bridge that you made as its parent': [
    ...['network create n', 'network edit n', 'network delete lo', 'network rename n m'],
    ...['query /1.0/network-acls', 'query -X PUT -d {} /1.0/networks/lo'],
  ],
  'Network not found': [
    ...['network show n', 'network get n k', 'network set n k=v', 'network attach n c1'],
    ...['network attach-profile n default', 'init busybox c9 -n n'],
  ],
  'Invalid devices: Failed loading device "lo": Unsupported device type': ['network attach lo c1'],
  'Porthole has one storage pool, its state directory: it makes, changes and deletes none': [
    ...['storage create p dir', 'storage edit p', 'storage delete p', 'storage delete default'],
    ...['storage set default k v', 'storage unset default source'],
  ],
  'Storage pool not found': [
    ...['storage show p', 'storage get p k', 'storage set p k v', 'init busybox c9 -s p'],
  ],
  'Porthole has no storage volumes: give an instance a folder of the host as a disk': [
    ...['storage volume list default', 'storage volume create default v', 'storage volume show default v'],
    ...['storage volume copy default/v default/w', 'storage volume delete default v'],
    ...['storage volume snapshot default v', 'storage volume set default v size=1'],
  ],
  'Porthole has one project, default: it makes, changes and deletes none': [
    ...['project create p', 'project delete p', 'project delete default', 'project edit p'],
    ...['project set default user.x=1', 'project rename default x'],
  ],
  'Porthole keeps no warnings, resources or metrics of the host': [
    ...['query /1.0/resources', 'query /1.0/metrics', 'query /1.0/warnings'],
  ],
  "cannot set 'core.https_address' to ':8443': unknown key": ['config set core.https_address :8443'],
  'Project not found': [
    ...['project show p', 'project switch p', '--project p start c1', '--project p launch busybox c9'],
    'profile copy default d2 --target-project p',
  ],
};

/** Commands that the client refuses for other reasons. */
export const BY_CLIENT: Readonly<Record<string, Commands>> = {
  "LXD server isn't part of a cluster": ['cluster list', 'cluster list-tokens', 'cluster group list'],
  "The server doesn't implement the newer v2 resources API": ['info --resources'],
  'To use --target, the destination remote must be a cluster': ['info --target m', 'config show --target m'],
  '--target cannot be used with instances': ['config set c1 user.x=1 --target m'],
  'The source LXD server is not clustered': ['move c1 c9 --target m'],
  'The instance is currently running. Use --force to have it stopped and restarted': ['publish c1'],
  'No device found for this network': ['network detach n c1'],
  'Only managed networks can be modified': ['network set lo k=v'],
  'No device found for this storage volume': ['storage volume detach default v c1'],
  'The source and target servers must be different': ['image copy busybox other:'],
  'inappropriate ioctl for device': ['console c1'],
  'Asked for a VM but image is of type container': ['init busybox c9 --vm'],
  'Image not found': ['image info busybox --vm', 'image export busybox --vm'],
  'Instance not found': ['info c1/s'],
  'connection refused': ['remote add far https://127.0.0.1:1 --accept-certificate'],
  'Invalid certificate file': ['config trust add backup'],
};
