#define _GNU_SOURCE
#include "member.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "client.h"
#include "websocket.h"

#define HELD_MAX 64
#define ORDERS_FD 3
#define REPORTS_FD 4

/* What cloud-init asks for, in its order; each on a connection of its own. */
static const char *const STORM_TARGETS[] = {"/1.0/meta-data", "/1.0/config", "/1.0/config/cloud-init.user-data",
                                            "/1.0/config/user.id", "/1.0/devices"};
#define STORM_TARGETS_COUNT (sizeof STORM_TARGETS / sizeof *STORM_TARGETS)

static int me;
static const char *path;
static int held[HELD_MAX];
static int held_count;
static struct websocket events = {.fd = -1};
static int is_stopped;

static void report(enum report_kind kind, uint64_t value) {
  struct report report = {.number = me, .kind = kind, .value = value};
  if (write(REPORTS_FD, &report, sizeof report) != sizeof report) fail("report");
}

/* One whole answer on a new connection, which is left open. */
static int ask(const char *target) {
  char request[ANSWER_BYTES_MAX];
  size_t length = write_get(request, target);
  int fd = connect_to(path);
  if (exchange(fd, request, length) < 0) fail(target);
  return fd;
}

static void hold(int count) {
  while (count-- > 0 && held_count < HELD_MAX) held[held_count++] = ask("/1.0");
}

static void storm(void) {
  for (size_t at = 0; at < STORM_TARGETS_COUNT; at++) close(ask(STORM_TARGETS[at]));
}

static void stop_listening(void) {
  if (events.fd >= 0) close(events.fd);
  events.fd = -1;
  is_stopped = 0;
}

static void leave(void) {
  while (held_count > 0) close(held[--held_count]);
  stop_listening();
}

static void obey(void) {
  struct order order;
  if (read(ORDERS_FD, &order, sizeof order) != sizeof order) exit(0);
  uint64_t before = now_ns();
  if (order.kind == HOLD) hold(order.count);
  if (order.kind == LISTEN) websocket_open(&events, path, "/1.0/events");
  if (order.kind == STOP || order.kind == RESUME) is_stopped = order.kind == STOP;
  if (order.kind == STORM) storm();
  if (order.kind == LEAVE) leave();
  report(DONE, now_ns() - before);
}

static void take_events(void) {
  int messages = websocket_read(&events);
  uint64_t now = now_ns();
  if (messages < 0) {
    report(CLOSED, (uint64_t)events.close_code);
    stop_listening();
  }
  while (messages-- > 0) report(EVENT, now);
}

/* Nothing of the others', and of those before, stays open here. */
static void keep_own_files(int orders, int reports) {
  if (dup2(orders, REPORTS_FD + 1) < 0 || dup2(reports, REPORTS_FD + 2) < 0) fail("dup2");
  if (dup2(REPORTS_FD + 1, ORDERS_FD) < 0 || dup2(REPORTS_FD + 2, REPORTS_FD) < 0) fail("dup2");
  close_range(REPORTS_FD + 1, ~0U, 0);
  close(0);
}

_Noreturn void member(int number, const char *socket_path, int orders, int reports) {
  me = number;
  path = socket_path;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  keep_own_files(orders, reports);
  /* The first order comes when the ids of this namespace are set. */
  for (int is_root = 0;; is_root = 1) {
    struct pollfd ready[2] = {{.fd = ORDERS_FD, .events = POLLIN}, {.fd = is_stopped ? -1 : events.fd, .events = POLLIN}};
    if (poll(ready, 2, -1) < 0) fail("poll");
    if (!is_root && (setgid(0) < 0 || setuid(0) < 0)) fail("setuid");
    if (ready[0].revents) obey();
    if (events.fd >= 0 && !is_stopped && ready[1].revents) take_events();
  }
}
