/* The worker that fetches: it is asked, and answers, until who asks is gone. */
#pragma once

#include "sandbox/worker.h"

/* What it may have. */
extern const struct su_worker_options su_fetcher;

/* `userdata` is a struct su_fetch_options. */
void su_serve(int channel_fd, void *userdata);
/* The same for one that is told them by the first message (opening.h). */
void su_serve_told(int channel_fd);
