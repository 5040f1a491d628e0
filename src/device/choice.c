#include "device/choice.h"

#include <stdbool.h>
#include <sys/stat.h>

#include "device/fit.h"
#include "device/image_store.h"

/* The store's messages, told as what they are here: no fault of the device. */
static int open_image(int state_fd, const struct su_image_ref *image, int *ret_fd,
                      struct su_error *err)
{
        struct su_error why = {0};
        int r = su_image_store_read(state_fd, image, ret_fd, &why);

        return r < 0 ? su_fail(err, SU_ERROR_BASELINE, "%s", why.message) : 0;
}

int su_choice_open_source(int state_fd, int base_fd, const struct su_delta_source_ref *source,
                          int *ret_fd, struct su_error *err)
{
        struct su_error why = {0};
        int r;

        if (!source->path)
                return open_image(state_fd, &source->image, ret_fd, err);
        r = su_base_open_file(base_fd, source->path, ret_fd, &why);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_BASELINE, "'%s' is missing on this system",
                               source->path);
        return r < 0 ? su_fail(err, SU_ERROR_BASELINE, "%s", why.message) : 0;
}

static int check_source(int state_fd, int base_fd, const struct su_delta_source_ref *source,
                        struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        uint64_t size;
        int r;

        r = su_choice_open_source(state_fd, base_fd, source, &fd, err);
        if (r < 0 || !source->path)
                return r; /* an image was read and compared with its seal */
        r = su_sha256_of_fd(fd, source->path, &digest, &size, err);
        if (r < 0)
                return r;
        if (size != source->size || !su_sha256_equal(&digest, &source->sha256))
                return su_fail(err, SU_ERROR_BASELINE,
                               "'%s' on this system is not the file of the baseline", source->path);
        return 0;
}

static int check_sources(int state_fd, int base_fd, const struct su_delta_ref *delta,
                         struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < delta->n_sources && r >= 0; i++)
                r = check_source(state_fd, base_fd, &delta->sources[i], err);
        return r;
}

static bool is_passed(const struct su_choice *choice, const struct su_delta_ref *delta)
{
        for (size_t i = 0; i < choice->n_passed; i++)
                if (choice->passed[i].delta == delta)
                        return true;
        return false;
}

static const struct su_delta_ref *smallest_left(const struct su_choice *choice)
{
        const struct su_component *component = choice->component;
        const struct su_delta_ref *best = NULL;

        for (size_t i = 0; i < component->n_deltas; i++) {
                const struct su_delta_ref *delta = &component->deltas[i];

                if (!is_passed(choice, delta) && (!best || delta->object.size < best->object.size))
                        best = delta;
        }
        return best;
}

static int pass_over(struct su_choice *choice, const struct su_delta_ref *delta,
                     const struct su_error *why, struct su_error *err)
{
        struct su_passed_delta *larger =
                reallocarray(choice->passed, choice->n_passed + 1, sizeof *larger);

        if (!larger)
                return su_fail_oom(err);
        choice->passed = larger;
        larger[choice->n_passed++] = (struct su_passed_delta){delta, *why};
        return 0;
}

int su_choice_find(int state_fd, int base_fd, struct su_choice *choice, struct su_error *err)
{
        const struct su_delta_ref *delta;
        int r;

        while ((delta = smallest_left(choice))) {
                struct su_error why = {0};

                if (check_sources(state_fd, base_fd, delta, &why) >= 0) {
                        choice->delta = delta;
                        return 0;
                }
                r = pass_over(choice, delta, &why, err);
                if (r < 0)
                        return r;
        }
        return su_fail(err, SU_ERROR_BASELINE,
                       "component '%s': this system has the sources of none of its deltas: %s",
                       choice->component->name,
                       choice->n_passed > 0 ? choice->passed[choice->n_passed - 1].why.message
                                            : "there are none");
}

int su_choice_find_next(int state_fd, int base_fd, struct su_choice *choice,
                        const struct su_error *why, struct su_error *err)
{
        int r = pass_over(choice, choice->delta, why, err);

        return r < 0 ? r : su_choice_find(state_fd, base_fd, choice, err);
}

void su_choice_done(struct su_choice *choice)
{
        free(choice->passed);
        *choice = (struct su_choice){0};
}

const char *su_delta_made_from(const struct su_delta_ref *delta)
{
        for (size_t i = 0; i < delta->n_sources; i++)
                if (!delta->sources[i].path)
                        return "image";
        return delta->n_sources > 0 ? "files" : "nothing";
}
