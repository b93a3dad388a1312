/*
 * attack NAME SOCKET WORKERS SECONDS UID [ARGUMENT]
 *
 * What one hostile caller does to all others. Prints `ready` once it goes at full strength, and in the end one line of
 * JSON: what it has done, so that an attack that does nothing is seen. Ends by itself, whatever the server does.
 */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../client.h"

#define WORKERS_MAX 64
/* So long after its time it is ended, wherever it hangs. */
#define GRACE_S 5

typedef void (*attack_fn)(struct worker *);

static const struct {
  const char *name;
  attack_fn run;
} ATTACKS[] = {
    {"spin", spin},
    {"forks", forks},
    {"fork-storm", fork_storm},
    {"fork-storm-held", fork_storm_held},
    {"connect-close", connect_close},
};

static attack_fn find(const char *name) {
  for (size_t at = 0; at < sizeof ATTACKS / sizeof *ATTACKS; at++)
    if (strcmp(ATTACKS[at].name, name) == 0) return ATTACKS[at].run;
  if (is_flood(name)) return flood;
  errno = EINVAL;
  fail(name);
}

static void raise_open_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) fail("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail("setrlimit");
}

static void become(uid_t uid) {
  if (uid == getuid()) return;
  if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0) fail("setuid");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static attack_fn chosen;

static void *work(void *worker) {
  chosen(worker);
  return NULL;
}

static void report(const struct worker *workers, int count) {
  struct worker sum = {0};
  for (int at = 0; at < count; at++) {
    sum.done += workers[at].done;
    sum.refused += workers[at].refused;
    sum.failed += workers[at].failed;
  }
  printf("{\"done\":%lu,\"refused\":%lu,\"failed\":%lu}\n", sum.done, sum.refused, sum.failed);
}

int main(int count, char **args) {
  static struct worker workers[WORKERS_MAX];
  pthread_t threads[WORKERS_MAX];
  int wanted = count >= 6 ? atoi(args[3]) : 0;
  if (wanted < 1 || wanted > WORKERS_MAX) {
    errno = EINVAL;
    fail("attack");
  }
  double seconds = atof(args[4]);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm((unsigned)seconds + GRACE_S);
  signal(SIGPIPE, SIG_IGN);
  raise_open_files();
  become((uid_t)atoi(args[5]));
  chosen = find(args[1]);
  uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
  for (int at = 0; at < wanted; at++) {
    workers[at] = (struct worker){
        .name = args[1], .path = args[2], .number = at, .workers = wanted, .end = end, .argument = args[6]};
    if (pthread_create(&threads[at], NULL, work, &workers[at]) != 0) fail("pthread_create");
  }
  puts("ready");
  fflush(stdout);
  for (int at = 0; at < wanted; at++) pthread_join(threads[at], NULL);
  report(workers, wanted);
  return 0;
}
