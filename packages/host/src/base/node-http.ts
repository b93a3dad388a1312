/**
 * Node's HTTP. An import of the module would also load Node's `fetch` and `WebSocket`, which nobody here uses: a seventh
 * of the time that `porthole` needs to start.
 */
export const { request, STATUS_CODES } = process.getBuiltinModule('node:http');
