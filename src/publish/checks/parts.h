/* The checks, a function each, and what they share. Private to this room. */
#pragma once

#include "publish/checks/checks.h"
#include "publish/checks/dynamic.h"

typedef int (*su_check_part)(const struct su_check_subject *subject, struct su_findings *findings,
                             struct su_error *err);

int su_check_baseline(const struct su_check_subject *subject, struct su_findings *findings,
                      struct su_error *err);
int su_check_paths(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err);
int su_check_rights(const struct su_check_subject *subject, struct su_findings *findings,
                    struct su_error *err);
int su_check_dates(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err);
int su_check_sizes(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err);
/* Of the kinds VERSION and ABI. */
int su_check_abi(const struct su_check_subject *subject, struct su_findings *findings,
                 struct su_error *err);
int su_check_needs(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err);
int su_check_glibc(const struct su_check_subject *subject, struct su_findings *findings,
                   struct su_error *err);
int su_check_hwcaps(const struct su_check_subject *subject, struct su_findings *findings,
                    struct su_error *err);
int su_check_python(const struct su_check_subject *subject, struct su_findings *findings,
                    struct su_error *err);

/* The component's file of that path, when the image holds it; else NULL. */
const struct su_changed_file *su_check_file(const struct su_check_subject *subject,
                                            const char *path);
/* What follows the last slash. */
const char *su_check_basename(const char *path);
/* Open below one of the trees and read it; what is not there is no ELF file. */
int su_check_read_dynamic(int root_fd, const char *path, struct su_dynamic *ret,
                          struct su_error *err);
/* Whether there is something at `path` below that root. */
bool su_check_exists(int root_fd, const char *path);
