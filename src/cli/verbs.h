/* One function per verb. Each returns an exit status, or a negative errno with `err` filled in. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "device/engine.h"
#include "device/refresh.h"

/* `suture exposure` found somebody: an answer, not a failure. */
#define SU_EXIT_EXPOSED 10

struct su_arguments {
        struct su_engine_options engine;
        const char *operand; /* NULL: none */
        bool json;
        bool direct;  /* do not ask the agent to do it */
        FILE *parent; /* for the program that runs this one (parent.h); NULL: there is none */
        bool dry_run;
        bool if_due;
        bool force;
        bool unattended;
        bool download_only;
        struct su_surroundings surroundings;
        enum su_restart_when when;
        bool when_given;
};

int su_verb_automatic(const struct su_arguments *arguments, struct su_error *err);
int su_verb_notify(const struct su_arguments *arguments, struct su_error *err);
int su_verb_status(const struct su_arguments *arguments, struct su_error *err);
int su_verb_check(const struct su_arguments *arguments, struct su_error *err);
int su_verb_install(const struct su_arguments *arguments, struct su_error *err);
int su_verb_remove(const struct su_arguments *arguments, struct su_error *err);
int su_verb_restart(const struct su_arguments *arguments, struct su_error *err);
int su_verb_watch(const struct su_arguments *arguments, struct su_error *err);
int su_verb_activate(const struct su_arguments *arguments, struct su_error *err);
int su_verb_mark_healthy(const struct su_arguments *arguments, struct su_error *err);
int su_verb_suspend(const struct su_arguments *arguments, struct su_error *err);
int su_verb_resume(const struct su_arguments *arguments, struct su_error *err);
int su_verb_coverage(const struct su_arguments *arguments, struct su_error *err);
int su_verb_exposure(const struct su_arguments *arguments, struct su_error *err);
int su_verb_verify(const struct su_arguments *arguments, struct su_error *err);
int su_verb_config(const struct su_arguments *arguments, struct su_error *err);
int su_verb_metrics(const struct su_arguments *arguments, struct su_error *err);
int su_verb_history(const struct su_arguments *arguments, struct su_error *err);
