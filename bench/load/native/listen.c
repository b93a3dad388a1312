#include "load.h"

#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "websocket.h"

void listen_to(const char *socket_path, const char *target) {
  static struct websocket websocket;
  websocket_open(&websocket, socket_path, target);
  puts("0");
  fflush(stdout);
  for (int messages; (messages = websocket_read(&websocket)) >= 0;) {
    uint64_t now = now_ns();
    while (messages-- > 0) printf("%lu\n", now);
    fflush(stdout);
  }
  fail("the server has closed the WebSocket");
}
