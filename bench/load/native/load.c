/*
 * load churn SOCKET TARGET CONNECTIONS SECONDS
 * load drain SOCKET TARGET CONNECTIONS
 * load probe SOCKET TARGET SECONDS
 * load listen SOCKET TARGET
 * load first SOCKET TARGET SECONDS
 * load follow SOCKET TARGET
 */
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "client.h"

int main(int count, char **args) {
  /* nsenter waits for us in the PID namespace outside; when it is ended, so are we. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (count == 6 && strcmp(args[1], "churn") == 0) churn(args[2], args[3], atoi(args[4]), atof(args[5]));
  else if (count == 5 && strcmp(args[1], "drain") == 0) drain(args[2], args[3], atoi(args[4]));
  else if (count == 5 && strcmp(args[1], "probe") == 0) probe(args[2], args[3], atof(args[4]));
  else if (count == 4 && strcmp(args[1], "listen") == 0) listen_to(args[2], args[3]);
  else if (count == 5 && strcmp(args[1], "first") == 0) first_answer(args[2], args[3], atof(args[4]));
  else if (count == 4 && strcmp(args[1], "follow") == 0) follow(args[2], args[3]);
  else {
    errno = EINVAL;
    fail("load");
  }
  return 0;
}
