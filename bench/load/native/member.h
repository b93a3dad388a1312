/* One container of a crowd. */
#ifndef MEMBER_H
#define MEMBER_H

#include <limits.h>
#include <stdint.h>

enum order_kind { HOLD, LISTEN, STORM, LEAVE };

/* What a container is told to do. */
struct order {
  int kind;
  /* Connections to hold. */
  int count;
};

/* What it says of it: how long it took, or when an event came. Small enough to be written in one piece. */
struct report {
  int number;
  int is_event;
  uint64_t value_ns;
};

#define PIPE_BUF_REPORTS (PIPE_BUF / sizeof(struct report))

/* Lives as the first process of its namespaces, until it is killed. */
_Noreturn void member(int number, const char *socket_path, int orders, int reports);

#endif
