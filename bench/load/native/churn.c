#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client.h"

#define CONNECTIONS_MAX 256

struct exchange {
  int fd;
  size_t have;
  char answer[ANSWER_BYTES_MAX];
};

struct totals {
  uint64_t answers;
  uint64_t errors;
};

static char request[ANSWER_BYTES_MAX];
static size_t request_length;

static void begin(struct exchange *one, int poll, const char *socket_path) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
  one->have = 0;
  one->fd = connect_to(socket_path);
  if (write(one->fd, request, request_length) != (ssize_t)request_length) fail("write");
  if (epoll_ctl(poll, EPOLL_CTL_ADD, one->fd, &event) < 0) fail("epoll_ctl");
}

/* Whether the answer is complete, or none will come; the connection is closed then. */
static int proceed(struct exchange *one, struct totals *totals) {
  ssize_t more = read(one->fd, one->answer + one->have, sizeof one->answer - one->have);
  if (more > 0) one->have += (size_t)more;
  int64_t size = more > 0 ? answer_size(one->answer, one->have) : -1;
  if (size == 0 || size > (int64_t)one->have) return 0;
  if (size < 0) totals->errors++;
  else totals->answers++;
  close(one->fd);
  return 1;
}

void churn(const char *socket_path, const char *target, int connections, double seconds) {
  if (connections < 1 || connections > CONNECTIONS_MAX) fail("connections");
  struct exchange *all = calloc((size_t)connections, sizeof *all);
  struct epoll_event events[CONNECTIONS_MAX];
  struct totals totals = {0, 0};
  int poll = epoll_create1(EPOLL_CLOEXEC), open = connections;
  if (all == NULL || poll < 0) fail("churn");
  request_length = write_get(request, target);
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), now = start;
  for (int i = 0; i < connections; i++) begin(&all[i], poll, socket_path);
  while (open > 0) {
    int ready = epoll_wait(poll, events, CONNECTIONS_MAX, 5000);
    if (ready <= 0) fail("no answer within 5 s");
    for (int i = 0; i < ready; i++) {
      if (!proceed(events[i].data.ptr, &totals)) continue;
      now = now_ns();
      if (now < end) begin(events[i].data.ptr, poll, socket_path);
      else open--;
    }
  }
  printf("{\"answers\":%lu,\"errors\":%lu,\"seconds\":%.6f}\n", totals.answers, totals.errors,
         (double)(now - start) / 1e9);
}
