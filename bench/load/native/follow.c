#include "load.h"

#include <stdio.h>
#include <unistd.h>

#include "client.h"

void follow(const char *socket_path, const char *target) {
  char bytes[ANSWER_BYTES_MAX];
  size_t length = write_get(bytes, target);
  int fd = connect_to(socket_path);
  if (write(fd, bytes, length) != (ssize_t)length) fail("write");
  for (ssize_t have; (have = read(fd, bytes, sizeof bytes)) > 0;) {
    fwrite(bytes, 1, (size_t)have, stdout);
    fflush(stdout);
  }
}
