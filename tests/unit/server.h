/* A small HTTP server on 127.0.0.1, in a child process, that answers by path:
 *   /good       200, SERVER_TEXT          /missing   404          /broken    500
 *   /gone       410                       /cut       200, half of what it announces
 *   /endless    200, bytes without end and without a length
 *   /moved      302 to /good              /loop      302 to /loop
 *   /to-file    302 to file:///etc/passwd /silent    closes without a word
 *   /empty      200, no bytes
 *   /tagged     200 with the ETag "1", and /starred with *: 304 when there is any condition */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define SERVER_TEXT "what the server says\n"

struct server {
        pid_t pid;
        uint16_t port;
};

void server_start(struct server *server);
void server_stop(struct server *server);
