#include "publish/upload/survey.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/store/repository.h"
#include "publish/upload/answer.h"

#define DEPTH_MAX 16
#define TIMESTAMP "metadata/timestamp.json"
#define ROOT "root"

/* All that is ours lies in these. */
static const char *const directories[] = {"advisories", "log", "metadata", "objects", "targets"};

static bool is_object(const char *path)
{
        struct su_sha256 digest;

        /* objects/AB/ABCD... */
        return su_starts_with(path, "objects/") && strlen(path) > 11 && path[10] == '/' &&
               memcmp(path + 8, path + 11, 2) == 0 &&
               su_hex_decode(path + 11, digest.bytes, sizeof digest.bytes);
}

/* Names of our own, none of them hidden, or on its way to its name. */
static bool is_usable(const char *path)
{
        for (const char *name = path;; name++) {
                const char *slash = strchrnul(name, '/');

                if (slash == name || name[0] == '.')
                        return false;
                for (; name < slash; name++)
                        if (!isalnum((unsigned char)*name) && !strchr("._+~-", *name))
                                return false;
                if (*slash == '\0')
                        return !su_ends_with(path, ".tmp") && !su_ends_with(path, "/partial");
        }
}

static enum su_kind kind_of_metadata(const char *file)
{
        const char *role;
        int64_t version;
        size_t size;

        if (strcmp(file, "timestamp.json") == 0)
                return SU_KIND_TIMESTAMP;
        if (strchr(file, '/') || !su_role_file_parse(file, &version, &role, &size))
                return SU_KIND_NONE;
        return size == strlen(ROOT) && memcmp(role, ROOT, size) == 0 ? SU_KIND_ROOT
                                                                     : SU_KIND_METADATA;
}

enum su_kind su_kind_of(const char *path)
{
        if (!is_usable(path))
                return SU_KIND_NONE;
        if (is_object(path))
                return SU_KIND_OBJECT;
        if (su_starts_with(path, "metadata/"))
                return kind_of_metadata(path + strlen("metadata/"));
        if (su_starts_with(path, "targets/") && su_ends_with(path, ".json"))
                return SU_KIND_TARGET;
        if (su_starts_with(path, "log/tile/"))
                return SU_KIND_TILE;
        if (strcmp(path, "log/checkpoint") == 0)
                return SU_KIND_CHECKPOINT;
        return su_starts_with(path, "advisories/") ? SU_KIND_PAGE : SU_KIND_NONE;
}

bool su_kind_is_immutable(enum su_kind kind)
{
        return kind <= SU_KIND_METADATA || kind == SU_KIND_ROOT;
}

int64_t su_kind_root_version(const char *path)
{
        const char *role;
        int64_t version;
        size_t size;

        return su_kind_of(path) == SU_KIND_ROOT && su_role_file_parse(path + strlen("metadata/"),
                                                                      &version, &role, &size)
                       ? version
                       : 0;
}

const char *su_kind_content_type(const char *path)
{
        static const struct {
                const char *suffix;
                const char *type;
        } types[] = {
                {".json", "application/json"},
                {".html", "text/html; charset=utf-8"},
                {".css", "text/css; charset=utf-8"},
                {".atom", "application/atom+xml"},
                {".xml", "application/xml"},
                {".txt", "text/plain; charset=utf-8"},
                {"log/checkpoint", "text/plain; charset=utf-8"},
        };

        for (size_t i = 0; i < SU_ELEMENTS(types); i++)
                if (su_ends_with(path, types[i].suffix))
                        return types[i].type;
        return "application/octet-stream";
}

/* A cache may keep what changes, but asks each time whether it still is so: a device that heard of
 * a timestamp only minutes later would be late, one that heard of an old one would be wrong. */
const char *su_kind_cache_control(enum su_kind kind)
{
        return su_kind_is_immutable(kind) ? "public, max-age=31536000, immutable" : "no-cache";
}

static int add(struct su_survey *survey, const char *path, uint64_t size, struct su_error *err)
{
        struct su_survey_file file = {.size = size, .kind = su_kind_of(path)};
        struct su_survey_file *larger;
        int r;

        if (file.kind == SU_KIND_NONE)
                return 0;
        larger = reallocarray(survey->files, survey->n + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        survey->files = larger;
        r = su_strdup(path, &file.path, err);
        if (r >= 0)
                larger[survey->n++] = file;
        return r;
}

static int walk(int dir_fd, const char *name, const char *path, int depth, struct su_survey *survey,
                struct su_error *err);

static int visit(int fd, const char *name, const char *parent, int depth, struct su_survey *survey,
                 struct su_error *err)
{
        su_auto_free char *path = NULL;
        struct stat st;
        int r;

        r = su_format(&path, err, "%s/%s", parent, name);
        if (r < 0)
                return r;
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        if (S_ISDIR(st.st_mode))
                return walk(fd, name, path, depth + 1, survey, err);
        return S_ISREG(st.st_mode) ? add(survey, path, (uint64_t)st.st_size, err) : 0;
}

static int walk(int dir_fd, const char *name, const char *path, int depth, struct su_survey *survey,
                struct su_error *err)
{
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        su_auto_closedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return errno == ENOENT ? 0 : su_fail_errno(err, errno, "cannot list '%s'", path);
        if (depth > DEPTH_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "'%s' is too deep", path);
        while (r >= 0 && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        r = visit(fd, entry->d_name, path, depth, survey, err);
        return r;
}

static int by_path(const void *a, const void *b)
{
        const struct su_survey_file *x = a;
        const struct su_survey_file *y = b;

        return strcmp(x->path, y->path);
}

static void hand_over(struct su_survey *survey, struct su_survey *ret)
{
        if (survey->n > 0)
                qsort(survey->files, survey->n, sizeof *survey->files, by_path);
        *ret = *survey;
        *survey = (struct su_survey){0};
}

int su_survey_here(int public_fd, struct su_survey *ret, struct su_error *err)
{
        su_auto_survey struct su_survey survey = {0};

        for (size_t i = 0; i < SU_ELEMENTS(directories); i++) {
                int r = walk(public_fd, directories[i], directories[i], 0, &survey, err);

                if (r < 0)
                        return r;
        }
        hand_over(&survey, ret);
        return 0;
}

static int list_page(struct su_s3 *s3, const char *prefix, const char *token,
                     struct su_s3_page *ret, struct su_error *err)
{
        su_auto_free char *encoded_prefix = NULL;
        su_auto_free char *encoded_token = NULL;
        su_auto_free char *query = NULL;
        su_auto_free char *body = NULL;
        struct su_s3_request request = {.method = SU_S3_GET};
        struct su_s3_reply reply = {0};
        int r;

        r = su_percent_encode(prefix, "", &encoded_prefix, err);
        if (r >= 0)
                r = su_percent_encode(token ? token : "", "", &encoded_token, err);
        if (r >= 0)
                r = su_format(&query, err, "%s%s%slist-type=2&prefix=%s",
                              token ? "continuation-token=" : "", encoded_token, token ? "&" : "",
                              encoded_prefix);
        request.query = query;
        if (r >= 0)
                r = su_s3_ask(s3, &request, &reply, err);
        if (r < 0)
                return r;
        body = reply.body;
        return su_s3_page_parse(body ? body : "", reply.size, ret, err);
}

/* A store that sends the same page for ever is left alone after so many. */
#define PAGES_MAX 100000

static int list(struct su_s3 *s3, const char *prefix, const char *directory,
                struct su_survey *survey, struct su_error *err)
{
        su_auto_free char *below = NULL;
        su_auto_free char *token = NULL;
        int r;

        r = su_format(&below, err, "%s%s/", prefix, directory);
        for (int pages = 0; r >= 0; pages++) {
                su_auto_s3_page struct su_s3_page page = {0};

                if (pages == PAGES_MAX)
                        return su_fail(err, SU_ERROR_FORMAT, "the list of objects has no end");
                r = list_page(s3, below, token, &page, err);
                for (size_t i = 0; i < page.n && r >= 0; i++)
                        if (su_starts_with(page.objects[i].key, below))
                                r = add(survey, page.objects[i].key + strlen(prefix),
                                        page.objects[i].size, err);
                su_free_p(&token);
                token = su_take(page.next);
                if (!token)
                        break;
        }
        return r;
}

int su_survey_there(struct su_s3 *s3, const char *prefix, struct su_survey *ret,
                    struct su_error *err)
{
        su_auto_survey struct su_survey survey = {0};

        for (size_t i = 0; i < SU_ELEMENTS(directories); i++) {
                int r = list(s3, prefix, directories[i], &survey, err);

                if (r < 0)
                        return r;
        }
        hand_over(&survey, ret);
        return 0;
}

const struct su_survey_file *su_survey_find(const struct su_survey *survey, const char *path)
{
        const struct su_survey_file wanted = {.path = (char *)path};

        return survey->n == 0
                       ? NULL
                       : bsearch(&wanted, survey->files, survey->n, sizeof *survey->files, by_path);
}

void su_survey_done(struct su_survey *survey)
{
        for (size_t i = 0; i < survey->n; i++)
                free(survey->files[i].path);
        free(survey->files);
        *survey = (struct su_survey){0};
}
