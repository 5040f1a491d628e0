#include "improvement/channel.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "improvement/codec.h"
#include "json/json.h"

#define CHANNEL_TYPE "suture-channel"
#define CHANNEL_VERSION 1
#define LEVELS_MAX 702

static int read_step(const json_t *object, void *ret, struct su_error *err)
{
        struct su_rollout_step *step = ret;
        const char *from;
        int64_t percent;
        int r;

        r = su_json_get_string(object, "from", &from, err);
        if (r >= 0)
                r = su_json_get_integer(object, "percent", 0, 100, &percent, err);
        if (r < 0)
                return r;
        if (!su_time_parse(from, &step->from))
                return su_fail(err, SU_ERROR_FORMAT, "field 'from' is not a time");
        step->percent = (int)percent;
        return 0;
}

static int find_text(const json_t *object, const char *name, char **ret, struct su_error *err)
{
        const char *text;
        int r;

        r = su_json_find_string(object, name, &text, err);
        return r < 0 || !text ? r : su_strdup(text, ret, err);
}

/* 0: it is not said. */
static int find_time(const json_t *object, const char *name, int64_t *ret, struct su_error *err)
{
        const char *text;
        int r;

        r = su_json_find_string(object, name, &text, err);
        if (r < 0 || !text)
                return r;
        return su_time_parse(text, ret) && *ret > 0
                       ? 0
                       : su_fail(err, SU_ERROR_FORMAT, "field '%s' is not a time", name);
}

static int read_recall(const json_t *object, struct su_channel_level *level, struct su_error *err)
{
        const char *reason;
        json_t *recall;
        int r;

        r = su_json_find_object(object, "recall", &recall, err);
        if (r < 0 || !recall)
                return r;
        r = su_json_get_string(recall, "reason", &reason, err);
        if (r >= 0)
                r = su_strdup(reason, &level->recall_reason, err);
        if (r >= 0)
                r = find_time(recall, "at", &level->recalled, err);
        if (r >= 0)
                r = find_text(recall, "proof", &level->recall_proof, err);
        return r < 0 ? su_fail_prefix(err, r, "recall") : 0;
}

bool su_group_is_name(const char *text)
{
        const size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return size > 0 && size < SU_GROUP_SIZE && !text[size];
}

static int read_group(const json_t *value, char **ret, struct su_error *err)
{
        const char *name = json_string_value(value);

        if (!name || !su_group_is_name(name))
                return su_fail(err, SU_ERROR_FORMAT,
                               "field 'groups' has something that is no name");
        return su_strdup(name, ret, err);
}

static int read_groups(const json_t *object, struct su_channel_level *level, struct su_error *err)
{
        const json_t *groups = json_object_get(object, "groups");
        const size_t n = json_array_size(groups);

        if (!groups)
                return 0;
        if (!json_is_array(groups) || n > SU_GROUPS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "field 'groups' is not a list of at most %d",
                               SU_GROUPS_MAX);
        level->groups = calloc(n + 1, sizeof *level->groups);
        if (!level->groups)
                return su_fail_oom(err);
        for (size_t i = 0; i < n; i++) {
                int r = read_group(json_array_get(groups, i), &level->groups[i], err);

                if (r < 0)
                        return r;
                level->n_groups++;
        }
        return 0;
}

static int read_channel_level(const json_t *object, void *ret, struct su_error *err)
{
        struct su_channel_level *level = ret;
        int r;

        r = su_level_from_json(object, "level", &level->level, err);
        if (r >= 0 && level->level.name[0] == '\0')
                r = su_fail(err, SU_ERROR_FORMAT, "field 'level' is missing");
        if (r >= 0)
                r = find_text(object, "proof", &level->proof, err);
        if (r >= 0)
                r = read_recall(object, level, err);
        if (r >= 0)
                r = find_time(object, "paused", &level->paused, err);
        if (r >= 0)
                r = read_groups(object, level, err);
        if (r >= 0)
                r = su_json_read_elements(object, "rollout", SU_ROLLOUT_STEPS_MAX,
                                          sizeof *level->rollout, read_step, &level->rollout,
                                          &level->n_rollout, err);
        if (r < 0)
                return r;
        for (size_t i = 1; i < level->n_rollout; i++)
                if (level->rollout[i].from < level->rollout[i - 1].from)
                        return su_fail(err, SU_ERROR_FORMAT,
                                       "field 'rollout' is not in the order of time");
        return 0;
}

static int read_channel(const json_t *document, struct su_channel *channel, struct su_error *err)
{
        const char *baseline;
        int r;

        r = su_json_expect_type(document, CHANNEL_TYPE, CHANNEL_VERSION, err);
        if (r >= 0)
                r = su_json_get_safe_name(document, "baseline", &baseline, err);
        if (r >= 0)
                r = su_strdup(baseline, &channel->baseline, err);
        if (r >= 0)
                r = su_json_get_integer(document, "serial", 1, INT64_MAX, &channel->serial, err);
        if (r >= 0)
                r = su_level_from_json(document, "current", &channel->current, err);
        if (r >= 0)
                r = su_level_from_json(document, "floor", &channel->floor, err);
        if (r >= 0)
                r = su_json_read_elements(document, "levels", LEVELS_MAX, sizeof *channel->levels,
                                          read_channel_level, &channel->levels, &channel->n_levels,
                                          err);
        if (r < 0)
                return r;
        if (channel->current.name[0] && !su_channel_find(channel, &channel->current))
                return su_fail(err, SU_ERROR_FORMAT, "its current level is not among its levels");
        return 0;
}

int su_channel_parse(const char *text, size_t size, struct su_channel *ret, struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};
        su_auto_json json_t *document = NULL;
        int r;

        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = read_channel(document, &channel, err);
        if (r < 0)
                return su_fail_prefix(err, r, "channel");
        *ret = channel;
        channel = (struct su_channel){0};
        return 0;
}

static json_t *groups_to_json(const struct su_channel_level *level)
{
        su_auto_json json_t *groups = json_array();

        for (size_t i = 0; i < level->n_groups; i++)
                if (json_array_append_new(groups, json_string(level->groups[i])) < 0)
                        return NULL;
        return su_take(groups);
}

/* Not by json_pack()'s "s*", which leaves a field out as well when memory runs out. */
static int set_text(json_t *object, const char *name, const char *text)
{
        return text ? json_object_set_new(object, name, json_string(text)) : 0;
}

static int set_time(json_t *object, const char *name, int64_t when)
{
        char text[SU_TIME_TEXT_SIZE];

        if (when <= 0)
                return 0;
        su_time_format(when, text);
        return set_text(object, name, text);
}

static json_t *recall_to_json(const struct su_channel_level *level)
{
        su_auto_json json_t *recall = NULL;

        if (!level->recall_reason)
                return json_null();
        recall = json_pack("{s:s}", "reason", level->recall_reason);
        if (!recall || set_time(recall, "at", level->recalled) < 0 ||
            set_text(recall, "proof", level->recall_proof) < 0)
                return NULL;
        return su_take(recall);
}

static json_t *channel_level_to_json(const struct su_channel_level *level)
{
        su_auto_json json_t *rollout = json_array();
        su_auto_json json_t *json = NULL;

        for (size_t i = 0; i < level->n_rollout; i++) {
                char from[SU_TIME_TEXT_SIZE];

                su_time_format(level->rollout[i].from, from);
                if (json_array_append_new(rollout, json_pack("{s:s, s:i}", "from", from, "percent",
                                                             level->rollout[i].percent)) < 0)
                        return NULL;
        }
        json = json_pack("{s:s, s:O, s:o}", "level", level->level.name, "rollout", rollout,
                         "recall", recall_to_json(level));
        if (!json || set_time(json, "paused", level->paused) < 0 ||
            set_text(json, "proof", level->proof) < 0)
                return NULL;
        if (level->n_groups > 0 && json_object_set_new(json, "groups", groups_to_json(level)) < 0)
                return NULL;
        return su_take(json);
}

static const char *level_or_null(const struct su_level *level)
{
        return level->name[0] ? level->name : NULL;
}

int su_channel_write(const struct su_channel *channel, char **ret_text, size_t *ret_size,
                     struct su_error *err)
{
        su_auto_json json_t *levels = json_array();
        su_auto_json json_t *document = NULL;

        for (size_t i = 0; i < channel->n_levels; i++)
                if (json_array_append_new(levels, channel_level_to_json(&channel->levels[i])) < 0)
                        return su_fail_oom(err);
        document =
                json_pack("{s:s, s:i, s:s, s:I, s:s?, s:s?, s:O}", "type", CHANNEL_TYPE, "version",
                          CHANNEL_VERSION, "baseline", channel->baseline, "serial",
                          (json_int_t)channel->serial, "current", level_or_null(&channel->current),
                          "floor", level_or_null(&channel->floor), "levels", levels);
        if (!document)
                return su_fail_oom(err);
        return su_json_compact(document, ret_text, ret_size, err);
}

void su_channel_done(struct su_channel *channel)
{
        for (size_t i = 0; i < channel->n_levels; i++) {
                free(channel->levels[i].rollout);
                for (size_t j = 0; j < channel->levels[i].n_groups; j++)
                        free(channel->levels[i].groups[j]);
                free(channel->levels[i].groups);
                free(channel->levels[i].proof);
                free(channel->levels[i].recall_reason);
                free(channel->levels[i].recall_proof);
        }
        free(channel->levels);
        free(channel->baseline);
        *channel = (struct su_channel){0};
}

const struct su_channel_level *su_channel_find(const struct su_channel *channel,
                                               const struct su_level *level)
{
        for (size_t i = 0; i < channel->n_levels; i++)
                if (su_level_compare(&channel->levels[i].level, level) == 0)
                        return &channel->levels[i];
        return NULL;
}

int su_rollout_percent(const struct su_channel_level *level, int64_t now)
{
        int percent = 0;

        for (size_t i = 0; i < level->n_rollout && level->rollout[i].from <= now; i++)
                percent = level->rollout[i].percent;
        return percent;
}

int su_rollout_position(const char *machine_id, const char *baseline, const struct su_level *level,
                        int *ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        struct su_sha256 digest;
        uint32_t value;
        int r;

        r = su_format(&text, err, "suture-rollout\n%s\n%s\n%s\n", machine_id, baseline,
                      level->name);
        if (r >= 0)
                r = su_sha256_of(text, strlen(text), &digest, err);
        if (r < 0)
                return r;
        value = (uint32_t)digest.bytes[0] << 24 | (uint32_t)digest.bytes[1] << 16 |
                (uint32_t)digest.bytes[2] << 8 | digest.bytes[3];
        *ret = (int)(value % 100);
        return 0;
}
