/* One load program a file; the first three print one line of JSON. */
#ifndef LOAD_H
#define LOAD_H

/* One connection per request, as many as go in some seconds. */
void churn(const char *socket_path, const char *target, int connections, double seconds);

/* Fetches something large over some connections at once and throws it away. */
void drain(const char *socket_path, const char *target, int connections);

/* One request after the other on one connection, with the time that each took. */
void probe(const char *socket_path, const char *target, double seconds);

/* Holds a WebSocket; prints 0 when it is open, then for every message the time at which it came. */
void listen_to(const char *socket_path, const char *target);

/* Asks until it is answered; prints `ready` when it begins, then the time of the answer. */
void first_answer(const char *socket_path, const char *target, double seconds);

/* Prints all bytes of an answer that does not end, as they come. */
void follow(const char *socket_path, const char *target);

#endif
