#define _GNU_SOURCE
#include "websocket.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define OPCODE_TEXT 1
#define OPCODE_CLOSE 8
#define OPCODE_PING 9
#define LENGTH_16_BITS 126
#define LENGTH_64_BITS 127
#define HEAD_BYTES_MAX 10

/* Empty and masked with zeros; servers accept this pong for any ping. */
static const char PONG[] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
static const char CLOSE[] = {(char)0x88, (char)0x80, 0, 0, 0, 0};

/* Drops the first bytes of what was read. */
static void drop(struct websocket *websocket, size_t count) {
  websocket->have -= count;
  memmove(websocket->bytes, websocket->bytes + count, websocket->have);
}

static ssize_t read_more(struct websocket *websocket) {
  ssize_t more = read(websocket->fd, websocket->bytes + websocket->have, FRAMES_BYTES_MAX - websocket->have);
  if (more > 0) websocket->have += (size_t)more;
  return more;
}

void websocket_open(struct websocket *websocket, const char *socket_path, const char *target) {
  char request[1024];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: lxd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        target);
  char *end = NULL;
  websocket->have = 0;
  websocket->close_code = 0;
  websocket->fd = connect_to(socket_path);
  if (write(websocket->fd, request, (size_t)length) != length) fail("write");
  while (end == NULL) {
    if (read_more(websocket) <= 0) fail("no answer to the handshake");
    end = memmem(websocket->bytes, websocket->have, "\r\n\r\n", 4);
  }
  if (strncmp(websocket->bytes, "HTTP/1.1 101 ", 13) != 0) fail("the handshake was refused");
  drop(websocket, (size_t)(end + 4 - websocket->bytes));
}

/* Bytes of the first frame with its head; 0 while it is incomplete. */
static size_t frame_size(const struct websocket *websocket) {
  const unsigned char *bytes = (const unsigned char *)websocket->bytes;
  size_t head = 2, length;
  if (websocket->have < head) return 0;
  length = bytes[1];
  if (length > LENGTH_64_BITS) fail("a frame is masked");
  if (length == LENGTH_16_BITS) head = 4;
  if (length == LENGTH_64_BITS) head = HEAD_BYTES_MAX;
  if (websocket->have < head) return 0;
  if (head > 2) length = 0;
  for (size_t at = 2; at < head; at++) length = length << 8 | bytes[at];
  if (head + length > FRAMES_BYTES_MAX) fail("a frame is too large");
  return websocket->have < head + length ? 0 : head + length;
}

/* Answers the server's close, after which it hangs up. */
static ssize_t take_close(struct websocket *websocket, size_t size) {
  const unsigned char *bytes = (const unsigned char *)websocket->bytes;
  if (size >= 4) websocket->close_code = bytes[2] << 8 | bytes[3];
  return write(websocket->fd, CLOSE, sizeof CLOSE);
}

int websocket_read(struct websocket *websocket) {
  int messages = 0;
  if (read_more(websocket) <= 0) return -1;
  for (size_t size; (size = frame_size(websocket)) > 0; drop(websocket, size)) {
    int opcode = websocket->bytes[0] & 0x0f;
    if (opcode == OPCODE_CLOSE) return take_close(websocket, size) < 0 || messages == 0 ? -1 : messages;
    if (opcode == OPCODE_TEXT) messages++;
    if (opcode == OPCODE_PING && write(websocket->fd, PONG, sizeof PONG) < 0) return -1;
  }
  return messages;
}
