/* The worker that fetches: it is asked, and answers, until who asks is gone. */
#pragma once

/* `userdata` is a struct su_fetch_options. */
void su_serve(int channel_fd, void *userdata);
