#include "publish/keys/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"

#define CTRL_C '\003'

struct su_secrets su_secrets_from(const char *file, bool ask)
{
        if (!file)
                file = getenv("SUTURE_PASSPHRASE_FILE");
        return (struct su_secrets){.file = file, .ask = ask};
}

bool su_secrets_can_get(const struct su_secrets *secrets)
{
        return secrets->file || isatty(STDIN_FILENO);
}

/* Its first line, without a newline. */
static int read_secret_file(const char *path, char *buffer, size_t size, struct su_error *err)
{
        su_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t length = 0;
        ssize_t n = -1;

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the passphrase file '%s'", path);
        while (length < size && (n = read(fd, buffer + length, size - length)) > 0)
                length += (size_t)n;
        if (n < 0)
                return su_fail_errno(err, errno, "cannot read the passphrase file '%s'", path);
        for (size_t i = 0; i < length; i++)
                if (buffer[i] == '\n' || buffer[i] == '\0') {
                        buffer[i] = '\0';
                        length = i;
                }
        if (length == size)
                return su_fail(err, SU_ERROR_TOO_LARGE, "the passphrase in '%s' is too long", path);
        buffer[length] = '\0';
        if (length == 0)
                return su_fail(err, SU_ERROR_CONFIG, "the first line of '%s' is empty", path);
        return 0;
}

/* Signals are left to the terminal's line: a program that ends here would leave it silent. */
static int read_silently(char *buffer, size_t size, struct su_error *err)
{
        struct termios before;
        struct termios silent;
        ssize_t n;

        if (tcgetattr(STDIN_FILENO, &before) < 0)
                return su_fail_errno(err, errno, "cannot look at the terminal");
        silent = before;
        silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        silent.c_cc[VEOL] = CTRL_C;
        if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) < 0)
                return su_fail_errno(err, errno, "cannot switch off the terminal's echo");
        do
                n = read(STDIN_FILENO, buffer, size - 1);
        while (n < 0 && errno == EINTR);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
        if (n <= 0 || memchr(buffer, CTRL_C, (size_t)n))
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled");
        if (buffer[n - 1] != '\n')
                return su_fail(err, SU_ERROR_TOO_LARGE, "the passphrase is too long");
        buffer[n - 1] = '\0';
        return 0;
}

static int ask(const char *question, const char *what, char *buffer, size_t size,
               struct su_error *err)
{
        if (!isatty(STDIN_FILENO))
                return su_fail(err, SU_ERROR_CONFIG,
                               "the passphrase of '%s' is needed: give it with --passphrase-file, "
                               "or run this on a terminal",
                               what);
        (void)fprintf(stderr, "%s '%s': ", question, what);
        (void)fflush(stderr);
        return read_silently(buffer, size, err);
}

static int get(void *userdata, const char *what, char *buffer, size_t size, struct su_error *err)
{
        const struct su_secrets *secrets = userdata;

        if (secrets->file)
                return read_secret_file(secrets->file, buffer, size, err);
        return ask("Passphrase of", what, buffer, size, err);
}

struct su_passphrase_source su_secrets_source(struct su_secrets *secrets)
{
        return (struct su_passphrase_source){.get = get, .userdata = secrets};
}

int su_secrets_get_new(const struct su_secrets *secrets, const char *what,
                       char buffer[SU_PASSPHRASE_SIZE_MAX], struct su_error *err)
{
        char again[SU_PASSPHRASE_SIZE_MAX];
        bool same;
        int r;

        buffer[0] = '\0';
        if (secrets->file)
                return read_secret_file(secrets->file, buffer, SU_PASSPHRASE_SIZE_MAX, err);
        if (!secrets->ask)
                return 0;
        r = ask("New passphrase for", what, buffer, SU_PASSPHRASE_SIZE_MAX, err);
        if (r >= 0 && buffer[0] == '\0')
                r = su_fail(err, SU_ERROR_USAGE, "an empty passphrase protects nothing");
        if (r >= 0)
                r = ask("Once more, for", what, again, sizeof again, err);
        if (r < 0)
                return r;
        same = strcmp(buffer, again) == 0;
        explicit_bzero(again, sizeof again);
        return same ? 0 : su_fail(err, SU_ERROR_USAGE, "the two passphrases differ");
}
