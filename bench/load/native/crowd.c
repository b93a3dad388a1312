/*
 * crowd COUNT FIRST_UID SOCKET
 *
 * Many tiny containers, as another runtime would have started them: each one process, the first of PID and user
 * namespaces of its own, with the host uid FIRST_UID + N as its root. What they do comes from standard input,
 * a line each, for the first N of them: `hold N CONNECTIONS`, `listen N`, `stop N` (reads no events any more),
 * `resume N`, `storm N`, `leave N` (closes all). Prints `made N PID`; then `done N NANOSECONDS` for each that has
 * done it, `event N TIME` for each event, and `closed N CODE` when the server has closed a WebSocket.
 * The end of the input ends all of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "member.h"

#define MEMBERS_MAX 20000
#define LINE_MAX_BYTES 128

struct child {
  pid_t pid;
  int orders;
};

static struct child children[MEMBERS_MAX];
static int made;

static void write_map(pid_t pid, const char *name, int uid) {
  char path[64], map[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int length = snprintf(map, sizeof map, "0 %d 1\n", uid);
  FILE *file = fopen(path, "w");
  if (file == NULL || fwrite(map, 1, (size_t)length, file) != (size_t)length || fclose(file) != 0) fail(path);
}

/* Makes one container; it waits for its first order, which comes after it has got its ids. */
static void make(int number, int uid, const char *socket_path, int reports) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) fail("socketpair");
  pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (pid < 0) fail("clone");
  if (pid == 0) member(number, socket_path, pair[1], reports);
  close(pair[1]);
  children[number] = (struct child){.pid = pid, .orders = pair[0]};
  made++;
  write_map(pid, "uid_map", uid);
  write_map(pid, "gid_map", uid);
  printf("made %d %d\n", number, pid);
}

static void raise_open_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) fail("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail("setrlimit");
}

/* Passes one line of the input on. */
static void order(const char *line) {
  static const char *const names[] = {"hold", "listen", "stop", "resume", "storm", "leave"};
  const int kinds = sizeof names / sizeof *names;
  char name[LINE_MAX_BYTES];
  int count = 0;
  struct order order = {.kind = -1, .count = 0};
  if (sscanf(line, "%15s %d %d", name, &count, &order.count) < 2 || count > made) fail(line);
  for (int kind = 0; kind < kinds; kind++)
    if (strcmp(name, names[kind]) == 0) order.kind = kind;
  if (order.kind < 0) fail(line);
  for (int number = 0; number < count; number++)
    if (write(children[number].orders, &order, sizeof order) != sizeof order) fail("a container has ended");
}

static void print_reports(int reports) {
  static const char *const kinds[] = {"done", "event", "closed"};
  struct report all[PIPE_BUF_REPORTS];
  ssize_t length = read(reports, all, sizeof all);
  if (length <= 0) fail("reports");
  for (size_t at = 0; at < (size_t)length / sizeof *all; at++)
    printf("%s %d %lu\n", kinds[all[at].kind], all[at].number, all[at].value);
  fflush(stdout);
}

/* Until the end of the input. */
static void serve(int reports) {
  struct pollfd ready[2] = {{.fd = 0, .events = POLLIN}, {.fd = reports, .events = POLLIN}};
  char line[LINE_MAX_BYTES];
  setvbuf(stdin, NULL, _IONBF, 0);
  while (poll(ready, 2, -1) > 0) {
    if (ready[1].revents) print_reports(reports);
    if (ready[0].revents && fgets(line, sizeof line, stdin) == NULL) return;
    if (ready[0].revents) order(line);
  }
}

int main(int count, char **args) {
  int reports[2], wanted = count == 4 ? atoi(args[1]) : 0;
  if (wanted < 1 || wanted > MEMBERS_MAX) {
    errno = EINVAL;
    fail("crowd");
  }
  /* Whoever has started us is gone: so are we, and with us, all of them. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  raise_open_files();
  if (pipe2(reports, O_CLOEXEC) < 0) fail("pipe");
  for (int number = 0; number < wanted; number++) make(number, atoi(args[2]) + number, args[3], reports[1]);
  fflush(stdout);
  serve(reports[0]);
  for (int number = 0; number < made; number++) kill(children[number].pid, SIGKILL);
  while (wait(NULL) > 0);
  return 0;
}
