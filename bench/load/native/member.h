/* One container of a crowd. */
#ifndef MEMBER_H
#define MEMBER_H

#include <limits.h>
#include <stdint.h>

enum order_kind { HOLD, LISTEN, STOP, RESUME, STORM, LEAVE };
enum report_kind { DONE, EVENT, CLOSED };

/* What a container is told to do. */
struct order {
  int kind;
  /* Connections to hold. */
  int count;
};

/* What it says: nanoseconds that an order took, when an event came, a close code. Small: it is written in one piece. */
struct report {
  int number;
  int kind;
  uint64_t value;
};

#define PIPE_BUF_REPORTS (PIPE_BUF / sizeof(struct report))

/* Lives as the first process of its namespaces, until it is killed. */
_Noreturn void member(int number, const char *socket_path, int orders, int reports);

#endif
