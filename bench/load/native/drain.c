#define _GNU_SOURCE
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define THREADS_MAX 64
#define CHUNK_BYTES (1024 * 1024)

static const char *path;
static char request[ANSWER_BYTES_MAX];
static size_t request_length;

/* Reads one whole answer; gives the bytes of its body. */
static void *fetch(void *nothing) {
  static __thread char chunk[CHUNK_BYTES];
  size_t have = 0;
  int64_t size = 0;
  int fd = connect_to(path);
  (void)nothing;
  if (write(fd, request, request_length) != (ssize_t)request_length) fail("write");
  while (size == 0 && have < ANSWER_BYTES_MAX) {
    ssize_t more = read(fd, chunk + have, ANSWER_BYTES_MAX - have);
    if (more <= 0) fail("the connection ended before the answer's head");
    have += (size_t)more;
    size = answer_size(chunk, have);
  }
  if (size <= 0) fail("the answer is no 200 with a length");
  for (int64_t got = (int64_t)have; got < size;) {
    ssize_t more = read(fd, chunk, sizeof chunk);
    if (more <= 0) fail("the connection ended before the answer did");
    got += more;
  }
  close(fd);
  return (void *)(intptr_t)size;
}

void drain(const char *socket_path, const char *target, int connections) {
  pthread_t threads[THREADS_MAX];
  int64_t bytes = 0;
  if (connections < 1 || connections > THREADS_MAX) fail("connections");
  path = socket_path;
  request_length = write_get(request, target);
  uint64_t start = now_ns();
  for (int i = 0; i < connections; i++)
    if (pthread_create(&threads[i], NULL, fetch, NULL) != 0) fail("pthread_create");
  for (int i = 0; i < connections; i++) {
    void *size;
    pthread_join(threads[i], &size);
    bytes += (intptr_t)size;
  }
  printf("{\"bytes\":%ld,\"seconds\":%.6f}\n", bytes, (double)(now_ns() - start) / 1e9);
}
