/* One attack a function; each runs in some threads of one program until its time is over. */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdint.h>

struct worker {
  const char *name;
  const char *path;
  /* Which of how many threads. */
  int number;
  int workers;
  /* By now_ns(). */
  uint64_t end;
  /* What some floods need to know, such as an image's target; NULL for the others. */
  const char *argument;
  /* Connections made, or answers of whatever kind. */
  uint64_t done;
  /* Answers of those that were 4xx or 5xx. */
  uint64_t refused;
  /* Connections that could not be made. */
  uint64_t failed;
};

/* The control: uses the processor and asks nothing. */
void spin(struct worker *worker);

/* What a storm costs the machine by itself: processes that end, and ask nothing. */
void forks(struct worker *worker);

/* Processes that connect, send a request and are gone when they are accepted. */
void fork_storm(struct worker *worker);

/* The same, but their parent keeps the sockets. */
void fork_storm_held(struct worker *worker);

/* Connects and closes, as often as goes. */
void connect_close(struct worker *worker);

/* Whether flood() knows it by this name. */
int is_flood(const char *name);

/* Requests on many connections at once, as the row of its name in floods.c says. */
void flood(struct worker *worker);

#endif
