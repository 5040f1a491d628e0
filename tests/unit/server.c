#include "server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static const struct {
        const char *path;
        const char *answer;
} answers[] = {
        {"/good", "200 OK\r\nContent-Length: 21\r\n\r\n" SERVER_TEXT},
        {"/missing", "404 Not Found\r\nContent-Length: 2\r\n\r\nno"},
        {"/gone", "410 Gone\r\nContent-Length: 0\r\n\r\n"},
        {"/broken", "500 Oops\r\nContent-Length: 0\r\n\r\n"},
        {"/cut", "200 OK\r\nContent-Length: 42\r\n\r\n" SERVER_TEXT},
        {"/moved", "302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n"},
        {"/loop", "302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"},
        {"/to-file", "302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"},
        {"/empty", "200 OK\r\nContent-Length: 0\r\n\r\n"},
        {"/tagged", "200 OK\r\nETag: \"1\"\r\nContent-Length: 21\r\n\r\n" SERVER_TEXT},
        {"/starred", "200 OK\r\nETag: *\r\nContent-Length: 21\r\n\r\n" SERVER_TEXT},
        {"/endless", "200 OK\r\n\r\n"},
};

static void say(int fd, const char *text)
{
        (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void answer(int fd, const char *path)
{
        static const char noise[4096] = "x";

        for (size_t i = 0; i < SU_ELEMENTS(answers); i++) {
                if (strcmp(answers[i].path, path) != 0)
                        continue;
                say(fd, "HTTP/1.0 ");
                say(fd, answers[i].answer);
        }
        if (strcmp(path, "/endless") == 0)
                while (send(fd, noise, sizeof noise, MSG_NOSIGNAL) > 0)
                        ;
}

_Noreturn static void serve(int listen_fd)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                int fd = accept(listen_fd, NULL, NULL);
                char request[2048] = "";
                char path[256] = "";
                size_t size = 0;

                while (size < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
                        ssize_t n = recv(fd, request + size, sizeof request - 1 - size, 0);

                        if (n <= 0)
                                break;
                        size += (size_t)n;
                }
                if (strstr(request, "\r\nIf-None-Match: "))
                        say(fd, "HTTP/1.0 304 Not Modified\r\n\r\n");
                else if (sscanf(request, "GET %255s", path) == 1)
                        answer(fd, path);
                (void)close(fd);
        }
}

void server_start(struct server *server)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(listen(fd, 8), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        server->port = ntohs(address.sin_port);
        server->pid = fork();
        assert_true(server->pid >= 0);
        if (server->pid == 0)
                serve(fd);
        assert_int_equal(close(fd), 0);
}

void server_stop(struct server *server)
{
        if (server->pid <= 0)
                return;
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
}
