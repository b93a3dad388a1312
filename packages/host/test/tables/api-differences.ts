/**
 * By path of LXD's API: what Porthole does differently; or, if the daemon's own answer does not say it, why Porthole
 * does not have the path.
 */
export const API_DIFFERENCES: Readonly<Record<string, string>> = {
  '/1.0': 'PUT and PATCH refuse every key: the daemon has its own [settings](settings.md)',
  '/1.0/cluster':
    'PUT joins no cluster by the address of a member; POST and DELETE, which LXD does not have, make a host a member and a single host',
  '/1.0/cluster/members': 'there is no POST: hosts join a fleet through etcd, without tokens',
  '/1.0/cluster/members/:name':
    'members have no roles, groups or config, and keep their names; DELETE removes only members that are offline',
  '/1.0/events': 'GET also takes `since`, for stored events; there are no events of the type `logging`',
  '/1.0/images': 'POST takes an uploaded file only',
  '/1.0/images/:fingerprint/export':
    'Porthole does not send images to other servers (POST); GET ignores `Range` and sends the whole image',
  '/1.0/images/:fingerprint/refresh':
    'Porthole gets images from uploads only, so it cannot download an image again',
  '/1.0/instances':
    'POST makes instances from images of this host only, by alias or fingerprint and not by `properties`; PUT does not fail if it pauses all instances and one is paused already',
  '/1.0/instances/:name': 'POST renames an instance, but does not move it to another host or pool',
  '/1.0/instances/:name/console':
    'there is no `vga`, which is for virtual machines; GET also takes `follow`, for new output of the console',
  '/1.0/instances/:name/exec': 'there is no `record-output`: output comes over websockets only',
  '/1.0/instances/:name/files': 'GET ignores `Range` and `If-Modified-Since`, and sends the whole file',
  '/1.0/instances/:name/logs': 'there is no list: each instance has one log, `lxc.log`',
  '/1.0/instances/:name/logs/:file': 'there is only `lxc.log`, and no DELETE',
  '/1.0/instances/:name/state': 'there is no `stateful`: Porthole does not save running processes',
  '/1.0/operations/:id':
    'DELETE cancels the import of an image; LXD can also cancel downloads, and Porthole has none',
};
