/* The command line. */
#pragma once

#include "publish/tool/verbs.h"

enum su_question { SU_QUESTION_NONE, SU_QUESTION_HELP, SU_QUESTION_VERSION };

/* `ret_question`: --help or --version, which are the program's to answer. What `arguments` holds is
 * released by su_options_done(). */
int su_options_parse(int argc, char **argv, struct su_publish_arguments *arguments,
                     enum su_question *ret_question, struct su_error *err);
void su_options_done(struct su_publish_arguments *arguments);

void su_options_print_help(void);
