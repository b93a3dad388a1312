#include "load.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "client.h"

#define CONNECTIONS_MAX 256
#define ANSWER_S_MAX 5

static char request[ANSWER_BYTES_MAX];
static size_t request_length;

static int begin(const char *socket_path) {
  struct timeval patience = {.tv_sec = ANSWER_S_MAX};
  int fd = connect_to(socket_path);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0) fail("SO_RCVTIMEO");
  if (write(fd, request, request_length) != (ssize_t)request_length) fail("write");
  return fd;
}

/*
 * Answers are awaited in the order of their requests, which spares asking the kernel which is there: two of
 * seven calls, on the core that would else be the bottleneck.
 */
void churn(const char *socket_path, const char *target, int connections, double seconds) {
  if (connections < 1 || connections > CONNECTIONS_MAX) fail("connections");
  int all[CONNECTIONS_MAX], open = connections;
  uint64_t answers = 0, errors = 0;
  request_length = write_get(request, target);
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), now = start;
  for (int i = 0; i < connections; i++) all[i] = begin(socket_path);
  for (int i = 0; open > 0; i = (i + 1) % connections) {
    if (all[i] < 0) continue;
    if (await_answer(all[i]) < 0) errors++;
    else answers++;
    close(all[i]);
    now = now_ns();
    all[i] = now < end ? begin(socket_path) : -1;
    if (all[i] < 0) open--;
  }
  printf("{\"answers\":%lu,\"errors\":%lu,\"seconds\":%.6f}\n", answers, errors, (double)(now - start) / 1e9);
}
