/* load churn SOCKET TARGET CONNECTIONS SECONDS | drain SOCKET TARGET CONNECTIONS | probe SOCKET TARGET SECONDS */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

int main(int count, char **args) {
  if (count == 6 && strcmp(args[1], "churn") == 0) churn(args[2], args[3], atoi(args[4]), atof(args[5]));
  else if (count == 5 && strcmp(args[1], "drain") == 0) drain(args[2], args[3], atoi(args[4]));
  else if (count == 5 && strcmp(args[1], "probe") == 0) probe(args[2], args[3], atof(args[4]));
  else {
    errno = EINVAL;
    fail("load");
  }
  return 0;
}
