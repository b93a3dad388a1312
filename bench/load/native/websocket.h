/* The client's half of a WebSocket that only listens: RFC 6455, frames of servers. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stddef.h>

/* More than any event. */
#define FRAMES_BYTES_MAX 524288

struct websocket {
  int fd;
  size_t have;
  /* Of the server's close, once it has come; 0 before. */
  int close_code;
  char bytes[FRAMES_BYTES_MAX];
};

/* Asks for a WebSocket on a new connection and reads the answer; fails the program when it is refused. */
void websocket_open(struct websocket *websocket, const char *socket_path, const char *target);

/* Reads what has come and answers pings. Returns how many messages it held, -1 when the server has closed. */
int websocket_read(struct websocket *websocket);

#endif
