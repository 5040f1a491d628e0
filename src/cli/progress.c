#include "cli/progress.h"

#include <stdio.h>

#include "base/interrupt.h"
#include "cli/parent.h"

struct su_progress su_progress_for(const struct su_arguments *arguments)
{
        return (struct su_progress){
                .parent = arguments->parent,
                .is_shown = !arguments->json && isatty(STDERR_FILENO),
                .percent = -1,
        };
}

static void begin_step(struct su_progress *progress, const char *step)
{
        su_progress_end(progress);
        (void)fprintf(stderr, "%s ...", step);
        progress->is_open = true;
}

static void show_percent(struct su_progress *progress, const char *step, int percent)
{
        if (percent == progress->percent)
                return;
        progress->percent = percent;
        (void)fprintf(stderr, "\r%s ... %d %%", step, percent);
}

bool su_progress_tell(void *userdata, const char *step, uint64_t done, uint64_t total)
{
        struct su_progress *progress = userdata;

        su_parent_tell_progress(progress->parent, step, done, total);
        if (progress->is_shown && done == 0)
                begin_step(progress, step);
        else if (progress->is_shown && total > 0)
                show_percent(progress, step, (int)((double)done / (double)total * 100));
        return su_interrupted();
}

void su_progress_end(struct su_progress *progress)
{
        if (progress->is_open)
                (void)fputc('\n', stderr);
        progress->is_open = false;
        progress->percent = -1;
}
