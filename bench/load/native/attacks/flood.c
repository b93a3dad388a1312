#define _GNU_SOURCE
#include "flood.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../client.h"

#define CONNECTIONS_MAX 256
#define READ_BYTES (64 * 1024)
/* Bytes that one connection sends before the others get their turn. */
#define TURN_BYTES (256 * 1024)
/* Before a connection that could not be made is tried again. */
#define RETRY_NS 1000000u
#define TRICKLE_NS 100000000u
#define WAIT_MS 2

struct connection {
  int fd;
  uint64_t next_at;
  struct script script;
  /* What is being sent: 0 the first text, 1 the other; how much of it was; requests without answer. */
  int stage;
  size_t sent;
  int waiting;
  /* How much of an answer's beginning was seen. */
  size_t matched;
  uint32_t events;
};

struct state {
  struct worker *worker;
  const struct flood *flood;
  int epoll;
  int count;
  struct connection all[CONNECTIONS_MAX];
};

static const char BEGINNING[] = "HTTP/1.1 ";
#define BEGINNING_LENGTH (sizeof BEGINNING - 1)

static void listen_for(struct state *state, struct connection *connection, uint32_t more) {
  uint32_t events = more | (state->flood->flags & READS ? EPOLLIN : EPOLLRDHUP);
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (connection->events == events) return;
  int operation = connection->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(state->epoll, operation, connection->fd, &event) < 0) fail("epoll_ctl");
  connection->events = events;
}

static void hang_up(struct connection *connection, uint64_t again_at) {
  if (connection->fd >= 0) close(connection->fd);
  connection->fd = -1;
  connection->next_at = again_at;
  connection->stage = connection->waiting = 0;
  connection->sent = connection->matched = 0;
  connection->events = 0;
}

/* Sends as much as it may, and asks to be woken when the server takes no more now. */
static void send_more(struct state *state, struct connection *connection) {
  const int depth = state->flood->depth;
  for (size_t turn = 0; turn < TURN_BYTES;) {
    const struct text *text = connection->stage == 0 ? &connection->script.first : &connection->script.again;
    if (text->length == 0 || (depth > 0 && connection->waiting >= depth)) return listen_for(state, connection, 0);
    size_t left = text->length - connection->sent;
    if (state->flood->flags & TRICKLES) left = 1;
    ssize_t more = send(connection->fd, text->bytes + connection->sent, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (more < 0 && errno == EAGAIN) break;
    if (more < 0) return hang_up(connection, now_ns());
    turn += (size_t)more;
    connection->sent += (size_t)more;
    if (connection->sent == text->length) {
      connection->sent = 0;
      connection->waiting++;
      if (connection->script.again.length > 0 || state->flood->flags & ONCE) connection->stage = 1;
    }
    if (state->flood->flags & TRICKLES) {
      connection->next_at = now_ns() + TRICKLE_NS;
      return listen_for(state, connection, 0);
    }
  }
  listen_for(state, connection, EPOLLOUT);
}

static void dial(struct state *state, struct connection *connection) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, state->worker->path, sizeof address.sun_path - 1);
  connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (connection->fd < 0) fail("socket");
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0) {
    state->worker->failed++;
    return hang_up(connection, now_ns() + RETRY_NS);
  }
  send_more(state, connection);
}

/* Finds where answers begin, and what kind they are. @returns how many began */
static int count_answers(struct worker *worker, struct connection *connection, const char *bytes, size_t length) {
  int found = 0;
  for (size_t at = 0; at < length; at++) {
    if (connection->matched == BEGINNING_LENGTH) {
      if (bytes[at] == '4' || bytes[at] == '5') worker->refused++;
      connection->matched = 0;
      found++;
    } else if (bytes[at] == BEGINNING[connection->matched]) {
      connection->matched++;
    } else {
      connection->matched = 0;
      const char *next = memchr(bytes + at, BEGINNING[0], length - at);
      if (next == NULL) break;
      at = (size_t)(next - bytes);
      connection->matched = 1;
    }
  }
  return found;
}

static void take(struct state *state, struct connection *connection, uint32_t events) {
  static __thread char bytes[READ_BYTES];
  if (!(state->flood->flags & READS)) {
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) return hang_up(connection, now_ns());
    return send_more(state, connection);
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    ssize_t length = read(connection->fd, bytes, sizeof bytes);
    if (length <= 0) return hang_up(connection, now_ns());
    int answers = count_answers(state->worker, connection, bytes, (size_t)length);
    state->worker->done += (uint64_t)answers;
    connection->waiting -= answers;
    if (answers > 0 && state->flood->flags & CLOSES) return hang_up(connection, now_ns());
  }
  if (!(state->flood->flags & TRICKLES)) send_more(state, connection);
}

/* What is due by the clock: new connections, the next byte. */
static void keep_going(struct state *state) {
  uint64_t now = now_ns();
  for (int at = 0; at < state->count; at++) {
    struct connection *connection = &state->all[at];
    if (now < connection->next_at) continue;
    if (connection->fd < 0) dial(state, connection);
    else if (state->flood->flags & TRICKLES) send_more(state, connection);
  }
}

void flood(struct worker *worker) {
  struct state *state = calloc(1, sizeof *state);
  if (state == NULL) fail("calloc");
  state->worker = worker;
  state->flood = find_flood(worker->name, worker->number);
  state->count = state->flood->connections / worker->workers;
  state->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (state->epoll < 0) fail("epoll_create1");
  for (int at = 0; at < state->count; at++) {
    struct connection *connection = &state->all[at];
    connection->fd = -1;
    connection->script.connection = worker->number * state->count + at;
    connection->script.argument = worker->argument;
    state->flood->build(&connection->script);
  }
  while (now_ns() < worker->end) {
    struct epoll_event ready[CONNECTIONS_MAX];
    keep_going(state);
    int count = epoll_wait(state->epoll, ready, CONNECTIONS_MAX, WAIT_MS);
    for (int at = 0; at < count; at++) take(state, ready[at].data.ptr, ready[at].events);
  }
}
