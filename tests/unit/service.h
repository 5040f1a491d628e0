/* A service in a child process, as a socket unit with Accept=yes has it: a process per connection.
 */
#pragma once

#include <sys/types.h>

struct service {
        char path[64]; /* of its socket */
        pid_t pid;
};

void service_start(struct service *service, void (*serve)(int fd));
void service_stop(struct service *service);
