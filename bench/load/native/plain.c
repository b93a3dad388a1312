/*
 * plain SOCKET
 *
 * What the machine allows: a server that neither reads what it is asked nor finds out who asks, in one thread. Every
 * request gets the same answer. Its queue is as short as that of the daemon in a flood; a deep one makes new callers
 * wait longer. Prints a line when it listens.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

#define BACKLOG 64
#define EVENTS_MAX 64

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0666) < 0 ||
      listen(fd, BACKLOG) < 0)
    fail(path);
  return fd;
}

static void accept_all(int epoll, int listening) {
  for (int left = BACKLOG; left > 0; left--) {
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    watch(epoll, fd);
  }
}

static void answer(int fd) {
  char request[ANSWER_BYTES_MAX];
  if (recv(fd, request, sizeof request, 0) <= 0 || send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) < 0) close(fd);
}

int main(int count, char **args) {
  if (count != 2) {
    errno = EINVAL;
    fail("plain");
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int listening = listen_at(args[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listening);
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
    for (int at = 0; at < ready; at++) {
      if (events[at].data.fd == listening) accept_all(epoll, listening);
      else answer(events[at].data.fd);
    }
  }
}
