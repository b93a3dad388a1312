/* What a flood sends, and how. */
#ifndef FLOOD_H
#define FLOOD_H

#include <stddef.h>

#include "attack.h"

/* Reads the answers and drops them. */
#define READS 1
/* Makes a new connection after each answer. */
#define CLOSES 2
/* One byte now and then. */
#define TRICKLES 4
/* Sends one text, and waits. */
#define ONCE 8

struct text {
  char *bytes;
  size_t length;
};

/* What one connection sends. */
struct script {
  struct text first;
  /* From then on; the first again when this is empty. */
  struct text again;
  /* Its number among those of all threads. */
  int connection;
  const char *argument;
};

/* Fills the texts in. */
typedef void (*build_fn)(struct script *script);

struct flood {
  const char *name;
  /* Of all threads together. */
  int connections;
  /* Requests that wait for their answers, on each connection; 0: as many as the server takes. */
  int depth;
  int flags;
  build_fn build;
};

/* The flood that a thread of this number does; those of one name take turns. NULL when there is none. */
const struct flood *find_flood(const char *name, int number);

#endif
