#include "daemon/query.h"

#include "daemon/reply.h"
#include "daemon/run.h"

/* Each is a process of its own, whoever asks. */
#define QUERIES_MAX 8

struct su_query {
        struct su_queries *queries;
        sd_bus_message *call;
        bool has_result;
        struct su_run *run;
        struct su_query *next;
};

static void query_free(struct su_query *query)
{
        su_run_free(query->run);
        sd_bus_message_unref(query->call);
        free(query);
}

static int answer(const struct su_query *query, const struct su_outcome *outcome)
{
        sd_bus_message *call = query->call;
        su_auto_free char *text = NULL;
        struct su_error error = {0};
        size_t size;

        if (!outcome->result)
                return su_reply_error(call, outcome->error_name, outcome->error.message);
        if (!query->has_result)
                return sd_bus_reply_method_return(call, "");
        if (su_json_compact(outcome->result, &text, &size, &error) < 0)
                return su_reply_failure(call, &error);
        return sd_bus_reply_method_return(call, "s", text);
}

static void on_finished(void *userdata, const struct su_outcome *outcome)
{
        struct su_query *query = userdata;
        struct su_query **place = &query->queries->first;

        (void)answer(query, outcome);
        if (!query->has_result && query->queries->changed)
                query->queries->changed(query->queries->userdata);
        while (*place != query)
                place = &(*place)->next;
        *place = query->next;
        query_free(query);
}

static size_t count(const struct su_queries *queries)
{
        size_t n = 0;

        for (const struct su_query *query = queries->first; query; query = query->next)
                n++;
        return n;
}

int su_query_start(struct su_queries *queries, const char *const *program,
                   const char *const arguments[], const char *language, sd_bus_message *call,
                   bool has_result, struct su_error *err)
{
        struct su_query *query = calloc(1, sizeof *query);
        const struct su_run_listener listener = {NULL, on_finished, query};
        int r;

        if (!query)
                return su_fail_oom(err);
        if (count(queries) >= QUERIES_MAX) {
                free(query);
                return su_fail(err, SU_ERROR_BUSY, "too many questions at once");
        }
        query->queries = queries;
        query->has_result = has_result;
        query->call = sd_bus_message_ref(call);
        r = su_run_start(sd_bus_get_event(sd_bus_message_get_bus(call)), program, arguments,
                         language, &listener, &query->run, err);
        if (r < 0) {
                query_free(query);
                return r;
        }
        query->next = queries->first;
        queries->first = query;
        return 0;
}

void su_queries_done(struct su_queries *queries)
{
        while (queries->first) {
                struct su_query *query = queries->first;

                queries->first = query->next;
                query_free(query);
        }
}
