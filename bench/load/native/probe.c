#include "load.h"

#include <stdio.h>
#include <stdlib.h>

#include "client.h"

/* More than a connection can do in the longest run. */
#define SAMPLES_MAX 4000000

void probe(const char *socket_path, const char *target, double seconds) {
  char request[ANSWER_BYTES_MAX];
  size_t length = write_get(request, target), count = 0;
  uint64_t *took = malloc(SAMPLES_MAX * sizeof *took);
  int fd = connect_to(socket_path);
  if (took == NULL) fail("malloc");
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
  for (uint64_t before = start; before < end && count < SAMPLES_MAX; count++) {
    if (exchange(fd, request, length) < 0) fail("an answer is no 200");
    uint64_t after = now_ns();
    took[count] = after - before;
    before = after;
  }
  sort_ns(took, count);
  printf("{\"answers\":%zu,\"p50Ns\":%lu,\"p99Ns\":%lu,\"maxNs\":%lu}\n", count,
         percentile_ns(took, count, 50), percentile_ns(took, count, 99), percentile_ns(took, count, 100));
}
