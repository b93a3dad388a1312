/*
 * witness kept|fresh SOCKET TARGET SECONDS INTERVAL_MS
 *
 * What a well-behaved caller sees: one request in each interval, on one connection or on a new one each. One that
 * takes longer than the interval delays the next. Connects without waiting, as most clients do: when the queue is
 * full, it tries again a millisecond later, and its time goes on. An attempt without an answer of 200 counts with the
 * whole patience. Prints one line of JSON.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define PATIENCE_NS 1000000000u
#define SAMPLES_MAX 100000
#define NS_PER_MS 1000000u

static uint64_t took[SAMPLES_MAX];
static size_t attempts, answers, full, refused, late;

static void wait_until(uint64_t at) {
  struct timespec time = {.tv_sec = (time_t)(at / 1000000000u), .tv_nsec = (long)(at % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR);
}

/* @returns -1 when there was no room for it until `end` */
static int dial(const char *path, uint64_t end) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  for (;;) {
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    if (errno == EAGAIN) full++;
    uint64_t now = now_ns();
    if (now + NS_PER_MS > end) break;
    wait_until(now + NS_PER_MS);
  }
  late++;
  close(fd);
  return -1;
}

/* @returns whether the whole answer came in time, and was a 200 */
static int exchange_until(int fd, const char *request, size_t length, uint64_t end) {
  static char answer[ANSWER_BYTES_MAX];
  size_t have = 0;
  if (send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) return refused++, 0;
  while (have < sizeof answer) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint64_t now = now_ns();
    if (now >= end) return late++, 0;
    struct timespec left = {.tv_nsec = (long)((end - now) % 1000000000u), .tv_sec = (time_t)((end - now) / 1000000000u)};
    if (ppoll(&ready, 1, &left, NULL) < 0) fail("ppoll");
    ssize_t more = recv(fd, answer + have, sizeof answer - have, MSG_DONTWAIT);
    if (more < 0 && errno == EAGAIN) continue;
    if (more <= 0) return refused++, 0;
    have += (size_t)more;
    int64_t size = answer_size(answer, have);
    if (size < 0) return refused++, 0;
    if (size > 0 && (int64_t)have >= size) return 1;
  }
  return refused++, 0;
}

static void report(double seconds, double interval_ms) {
  sort_ns(took, attempts);
  printf("{\"wanted\":%.0f,\"answers\":%zu,\"full\":%zu,\"refused\":%zu,\"late\":%zu,\"p50Ns\":%lu,\"p99Ns\":%lu,"
         "\"maxNs\":%lu}\n",
         seconds * 1000 / interval_ms, answers, full, refused, late, percentile_ns(took, attempts, 50),
         percentile_ns(took, attempts, 99), percentile_ns(took, attempts, 100));
}

static void ask(int is_kept, const char *path, const char *target, uint64_t end, uint64_t interval) {
  char request[ANSWER_BYTES_MAX];
  size_t length = write_get(request, target);
  int fd = -1;
  for (uint64_t next = now_ns(); next < end && attempts < SAMPLES_MAX; attempts++) {
    wait_until(next);
    uint64_t before = now_ns(), until = before + PATIENCE_NS;
    if (fd < 0) fd = dial(path, until);
    int is_answered = fd >= 0 && exchange_until(fd, request, length, until);
    uint64_t after = now_ns();
    if (is_answered) answers++;
    took[attempts] = is_answered ? after - before : PATIENCE_NS;
    if (fd >= 0 && !(is_kept && is_answered)) {
      close(fd);
      fd = -1;
    }
    /* Times that have passed meanwhile are answers that are missing. */
    while (next <= after) next += interval;
  }
}

int main(int count, char **args) {
  if (count != 6) {
    errno = EINVAL;
    fail("witness");
  }
  double seconds = atof(args[4]), interval_ms = atof(args[5]);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  ask(strcmp(args[1], "kept") == 0, args[2], args[3], now_ns() + (uint64_t)(seconds * 1e9),
      (uint64_t)(interval_ms * NS_PER_MS));
  report(seconds, interval_ms);
  return 0;
}
