/**
 * Node's HTTP. Importing the module would also load Node's `fetch` and `WebSocket`, which are not used here;
 * that takes a seventh of the time that `porthole` needs to start.
 */
export const { request, STATUS_CODES } = process.getBuiltinModule('node:http');
