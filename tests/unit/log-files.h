/* A log's files in memory. */
#pragma once

#include "transparency/append.h"

struct log_file {
        char *path;
        char *data;
        size_t size;
};

struct log_files {
        struct log_file *files;
        size_t n;
        size_t n_gets;
        size_t fail_put_at; /* the put that fails, from 1; 0: none */
        size_t n_puts;
        bool ignores_max; /* as a careless reader might */
};

struct su_tiles_reader log_files_reader(struct log_files *files);
struct su_tiles_writer log_files_writer(struct log_files *files);
/* NULL when there is none. */
struct log_file *log_files_find(const struct log_files *files, const char *path);
void log_files_remove(struct log_files *files, const char *path);
void log_files_clear(struct log_files *files);
#define auto_log_files su_auto(log_files_clear)
