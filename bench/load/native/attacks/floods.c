#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../client.h"
#include "flood.h"

/* As much as the server takes of each (http/limits.ts), a little less. */
#define LONG_QUERY_BYTES 15000
#define WIDE_QUERY_BYTES 65000
#define BODY_BYTES 65000
#define CHUNKS 65000
/* Frames that are sent in one piece. */
#define FRAMES 8192

#define TEXT_BYTES_MAX (512 * 1024)

static void add(struct text *text, const char *format, ...) {
  va_list values;
  if (text->bytes == NULL) text->bytes = malloc(TEXT_BYTES_MAX);
  if (text->bytes == NULL) fail("malloc");
  va_start(values, format);
  int length = vsnprintf(text->bytes + text->length, TEXT_BYTES_MAX - text->length, format, values);
  va_end(values);
  text->length += (size_t)length;
  if (text->length >= TEXT_BYTES_MAX) fail("a request is too long");
}

static void repeat(struct text *text, const char *piece, size_t until) {
  while (text->length < until) add(text, "%s", piece);
}

/* Encoded names, each of which has to be decoded before it is known not to be the one that is looked for. */
static void long_query(struct script *script) {
  add(&script->first, "GET /1.0/config/user.bench?");
  repeat(&script->first, "%61&", LONG_QUERY_BYTES);
  add(&script->first, " HTTP/1.1\r\nHost: lxd\r\nIf-None-Match: \"x\"\r\n\r\n");
}

static void wide_query(struct script *script) {
  add(&script->first, "GET /1.0/events?");
  repeat(&script->first, "%61&", WIDE_QUERY_BYTES);
  add(&script->first, "since=now&limit=1 HTTP/1.1\r\nHost: lxd\r\n\r\n");
}

/* Looks through the whole journal of the instance for a type that there is not. */
static void deep_since(struct script *script) {
  add(&script->first, "GET /1.0/events?since=%s&limit=1&type=x HTTP/1.1\r\nHost: lxd\r\n\r\n", script->argument);
}

static void list_since(struct script *script) {
  add(&script->first, "GET /1.0/events?since=%s&limit=256 HTTP/1.1\r\nHost: lxd\r\n\r\n", script->argument);
}

static void chunked(struct script *script) {
  add(&script->first, "PATCH /1.0 HTTP/1.1\r\nHost: lxd\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int chunk = 0; chunk < CHUNKS; chunk++) add(&script->first, "1\r\n \r\n");
  add(&script->first, "0\r\n\r\n");
}

static void with_json(struct script *script, const struct text *body) {
  add(&script->first, "PATCH /1.0 HTTP/1.1\r\nHost: lxd\r\nContent-Length: %zu\r\n\r\n%s", body->length, body->bytes);
  free(body->bytes);
}

static void json_keys(struct script *script) {
  struct text body = {0};
  add(&body, "{\"state\":\"none\"");
  for (int key = 0; body.length < BODY_BYTES; key++) add(&body, ",\"%x\":0", key);
  add(&body, "}");
  with_json(script, &body);
}

static void json_depth(struct script *script) {
  struct text body = {0};
  add(&body, "{\"state\":");
  repeat(&body, "[", BODY_BYTES / 2);
  repeat(&body, "]", body.length * 2 - sizeof "{\"state\":" + 1);
  add(&body, "}");
  with_json(script, &body);
}

static void handshake(struct script *script) {
  add(&script->first, "GET /1.0/events HTTP/1.1\r\nHost: lxd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
}

/* The same frame, masked with zeros, many times. */
static void frames(struct text *again, const char *frame, size_t length) {
  again->bytes = malloc(FRAMES * length);
  if (again->bytes == NULL) fail("malloc");
  for (int at = 0; at < FRAMES; at++) memcpy(again->bytes + (size_t)at * length, frame, length);
  again->length = FRAMES * length;
}

static void pongs(struct script *script) {
  static const char frame[] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
  handshake(script);
  frames(&script->again, frame, sizeof frame);
}

static void pings(struct script *script) {
  static const char frame[] = {(char)0x89, (char)0x81, 0, 0, 0, 0, 'x'};
  handshake(script);
  frames(&script->again, frame, sizeof frame);
}

static void plain(struct script *script) {
  add(&script->first, "GET /1.0 HTTP/1.1\r\nHost: lxd\r\n\r\n");
}

static void slow_head(struct script *script) {
  add(&script->first, "GET /1.0 HTTP/1.1\r\nHost: lxd\r\nX-Slow: ");
  repeat(&script->first, "x", LONG_QUERY_BYTES);
}

static void listener(struct script *script) {
  if (script->connection % 2) handshake(script);
  else add(&script->first, "GET /1.0/events HTTP/1.1\r\nHost: lxd\r\n\r\n");
}

/* Each connection writes another value than the one before, so that each write is a change. */
static void put(struct script *script) {
  add(&script->first, "PUT /1.0/config/guest.flood HTTP/1.1\r\nHost: lxd\r\nContent-Length: 8\r\n\r\n%08d",
      script->connection);
}

static void patch(struct script *script) {
  add(&script->first, "PATCH /1.0 HTTP/1.1\r\nHost: lxd\r\nContent-Length: 17\r\n\r\n{\"state\":\"Ready\"}");
}

static void image(struct script *script) {
  add(&script->first, "GET %s HTTP/1.1\r\nHost: lxd\r\n\r\n", script->argument);
}

static const struct flood FLOODS[] = {
    {"long-queries", 60, 1, READS, long_query},
    {"wide-queries", 60, 1, READS, wide_query},
    {"deep-since", 128, 32, READS, deep_since},
    {"since-list", 60, 1, READS, list_since},
    {"chunked", 60, 1, READS, chunked},
    {"json", 60, 1, READS, json_keys},
    {"json", 60, 1, READS, json_depth},
    {"websocket", 32, 1, READS | CLOSES, handshake},
    {"websocket", 32, 0, READS, pongs},
    {"websocket", 32, 0, READS, pings},
    {"websocket", 32, 0, 0, pings},
    {"pipelining", 64, 64, READS, plain},
    {"slow-heads", 240, 1, READS | TRICKLES, slow_head},
    {"listeners", 32, 1, ONCE, listener},
    {"put", 60, 1, READS, put},
    {"patch", 60, 1, READS, patch},
    {"images", 16, 1, READS, image},
};

const struct flood *find_flood(const char *name, int number) {
  const size_t all = sizeof FLOODS / sizeof *FLOODS;
  size_t first = 0, count = 0;
  while (first < all && strcmp(FLOODS[first].name, name) != 0) first++;
  while (first + count < all && strcmp(FLOODS[first + count].name, name) == 0) count++;
  return count == 0 ? NULL : &FLOODS[first + (size_t)number % count];
}

int is_flood(const char *name) { return find_flood(name, 0) != NULL; }
