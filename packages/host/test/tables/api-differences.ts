/**
 * What is different about paths that Porthole serves and LXD too, by path; or why a path of LXD is not there, if the
 * daemon's own answer does not say it.
 */
export const API_DIFFERENCES: Readonly<Record<string, string>> = {
  '/1.0': 'PUT and PATCH refuse every key: the daemon has [settings](settings.md) of its own',
  '/1.0/events': 'also `since`, for events of the past; no events of the type `logging`',
  '/1.0/images': 'POST takes an uploaded file, but no other source',
  '/1.0/images/:fingerprint/export': 'no POST: an image is not sent to another server',
  '/1.0/images/:fingerprint/refresh': 'images come from uploads only, so there is nothing to get again',
  '/1.0/instances':
    'POST makes instances from images of this host only; with PUT, a pause of all leaves those alone that are paused already',
  '/1.0/instances/:name': 'POST renames, but does not move to another host or pool',
  '/1.0/instances/:name/console':
    'no `vga`, which is for virtual machines; GET also takes `follow`, for what the console prints from now on',
  '/1.0/instances/:name/exec': 'no `record-output`: output comes over websockets only',
  '/1.0/instances/:name/logs': 'there is one log, `lxc.log`',
  '/1.0/instances/:name/logs/:file': '`lxc.log` only; no DELETE',
  '/1.0/instances/:name/state': 'no `stateful`: what runs inside is not saved',
  '/1.0/operations/:id':
    'DELETE cancels the import of an image; LXD cancels downloads too, which do not exist here',
};
