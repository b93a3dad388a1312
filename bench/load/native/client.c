#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Noreturn void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "failed");
  exit(1);
}

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int connect_to(const char *socket_path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(socket_path) >= sizeof address.sun_path) fail("the socket's path is too long");
  strcpy(address.sun_path, socket_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail(socket_path);
  return fd;
}

size_t write_get(char *buffer, const char *target) {
  return (size_t)snprintf(buffer, ANSWER_BYTES_MAX, "GET %s HTTP/1.1\r\nHost: lxd\r\n\r\n", target);
}

int64_t answer_size(const char *bytes, size_t length) {
  static const char field[] = "\r\ncontent-length:";
  const char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  if (strncmp(bytes, "HTTP/1.1 200 ", 13) != 0) return -1;
  for (const char *at = bytes; at < end; at++)
    if (*at == '\r' && strncasecmp(at, field, sizeof field - 1) == 0)
      return (end - bytes) + 4 + atoll(at + sizeof field - 1);
  return -1;
}

int64_t exchange(int fd, const char *request, size_t length) {
  if (write(fd, request, length) != (ssize_t)length) return -1;
  return await_answer(fd);
}

int64_t await_answer(int fd) {
  char answer[ANSWER_BYTES_MAX];
  size_t have = 0;
  while (have < sizeof answer) {
    ssize_t more = read(fd, answer + have, sizeof answer - have);
    if (more <= 0) return -1;
    have += (size_t)more;
    int64_t size = answer_size(answer, have);
    if (size < 0 || (size > 0 && (int64_t)have >= size)) return size;
  }
  return -1;
}

static int ascending(const void *one, const void *other) {
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

void sort_ns(uint64_t *values, size_t count) { qsort(values, count, sizeof *values, ascending); }

uint64_t percentile_ns(uint64_t *sorted, size_t count, double percent) {
  if (count == 0) return 0;
  size_t rank = (size_t)(percent / 100 * (double)count);
  return sorted[rank < count ? rank : count - 1];
}
