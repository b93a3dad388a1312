#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

#define RETRY_US 1000

void first_answer(const char *socket_path, const char *target, double seconds) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char request[ANSWER_BYTES_MAX];
  size_t length = write_get(request, target);
  uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
  strncpy(address.sun_path, socket_path, sizeof address.sun_path - 1);
  puts("ready");
  fflush(stdout);
  while (now_ns() < end) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && exchange(fd, request, length) > 0) {
      printf("%lu\n", now_ns());
      return;
    }
    close(fd);
    usleep(RETRY_US);
  }
  fail("no answer");
}
