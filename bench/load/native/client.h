/* What all load programs share: a strict little HTTP/1.1 client on Unix sockets. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stddef.h>
#include <stdint.h>

/* Long enough for every answer that is read whole; image exports are drained, not kept. */
#define ANSWER_BYTES_MAX 65536

/* Says what went wrong and ends the program. */
_Noreturn void fail(const char *what);

/* CLOCK_MONOTONIC, which all processes of a machine share. */
uint64_t now_ns(void);

/* A new connection; fails the program when it is refused, naming the socket. */
int connect_to(const char *socket_path);

/* The bytes of a GET without a body, for a buffer of ANSWER_BYTES_MAX. Returns their number. */
size_t write_get(char *buffer, const char *target);

/* Bytes of a whole answer: head and Content-Length; 0 while the head is incomplete, -1 unless it is a 200. */
int64_t answer_size(const char *bytes, size_t length);

/* Reads one whole answer. Returns its bytes, -1 when it is no 200 or the connection ends before. */
int64_t await_answer(int fd);

/* One request and its whole answer on an open connection. Returns the answer's bytes, -1 when it is no 200. */
int64_t exchange(int fd, const char *request, size_t length);

/* Sorts latencies in place and gives the one below which `percent` of them are. */
uint64_t percentile_ns(uint64_t *sorted, size_t count, double percent);
void sort_ns(uint64_t *values, size_t count);

#endif
