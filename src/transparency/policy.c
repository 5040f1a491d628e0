#include "transparency/policy.h"

#include <string.h>

#include "transparency/lines.h"

#define NAMES_MAX (SU_POLICY_WITNESSES_MAX + SU_POLICY_GROUPS_MAX)
#define WORDS_MAX (3 + NAMES_MAX) /* a group of all names */
#define NOBODY "none"

/* What the quorum and members of groups are: witnesses and groups, in the order of the file. */
struct named {
        char *name;
        bool is_member;
        bool is_group;
        size_t witness;            /* its number, when it is no group */
        size_t needed;             /* of the members */
        size_t n_members;          /* at least one */
        size_t members[NAMES_MAX]; /* all before this one */
};

struct su_policy {
        struct su_policy_log logs[SU_POLICY_LOGS_MAX];
        size_t n_logs;
        struct su_policy_witness witnesses[SU_POLICY_WITNESSES_MAX];
        size_t n_witnesses;
        struct named names[NAMES_MAX];
        size_t n_names;
        char *quorum_name; /* NULL: there is none yet */
        size_t quorum;     /* SIZE_MAX: nobody is needed */
};

/* A line that is being parsed. */
struct line {
        struct su_policy *policy;
        const char *file;
        unsigned number;
        struct su_slice words[WORDS_MAX];
        size_t n_words;
};

#define fail_line(err, line, format, ...)                                                          \
        su_fail((err), SU_ERROR_CONFIG, "%s:%u: " format, (line)->file,                            \
                (line)->number __VA_OPT__(, ) __VA_ARGS__)

void su_policy_free(struct su_policy *policy)
{
        if (!policy)
                return;
        for (size_t i = 0; i < policy->n_logs; i++) {
                su_note_key_free(policy->logs[i].key);
                free(policy->logs[i].url);
        }
        for (size_t i = 0; i < policy->n_witnesses; i++) {
                free(policy->witnesses[i].name);
                su_note_key_free(policy->witnesses[i].key);
                free(policy->witnesses[i].url);
        }
        for (size_t i = 0; i < policy->n_names; i++)
                free(policy->names[i].name);
        free(policy->quorum_name);
        free(policy);
}

static int copy_word(struct su_slice word, char **ret, struct su_error *err)
{
        *ret = strndup(word.text, word.size);
        return *ret ? 0 : su_fail_oom(err);
}

/* NULL when there is none. */
static struct named *find_name(struct su_policy *policy, struct su_slice word)
{
        for (size_t i = 0; i < policy->n_names; i++)
                if (su_slice_is(word, policy->names[i].name))
                        return policy->names + i;
        return NULL;
}

static int parse_key(const struct line *line, struct su_slice word, enum su_note_type type,
                     struct su_note_key **ret, struct su_error *err)
{
        su_auto_note_key struct su_note_key *key = NULL;
        struct su_error why = {0};
        int r;

        r = su_note_key_parse(word.text, word.size, &key, &why);
        if (r < 0 && why.code != SU_ERROR_FORMAT && why.code != SU_ERROR_UNSUPPORTED)
                return su_fail(err, why.code, "%s", why.message);
        if (r < 0)
                return fail_line(err, line, "%s", why.message);
        if (key->type != type)
                return fail_line(err, line,
                                 "the key of '%s' is of type 0x%02x, but that of a %s is of 0x%02x",
                                 key->name, key->type, type == SU_NOTE_ED25519 ? "log" : "witness",
                                 type);
        *ret = su_take(key);
        return 0;
}

static int copy_url(const struct line *line, size_t at, char **ret, struct su_error *err)
{
        return at < line->n_words ? copy_word(line->words[at], ret, err) : 0;
}

static int parse_log(const struct line *line, struct su_error *err)
{
        struct su_policy *policy = line->policy;
        struct su_policy_log *log = policy->logs + policy->n_logs;
        int r;

        if (line->n_words < 2 || line->n_words > 3)
                return fail_line(err, line, "a log is given as: log VKEY [URL]");
        if (policy->n_logs == SU_POLICY_LOGS_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "%s:%u: there are more than %d logs",
                               line->file, line->number, SU_POLICY_LOGS_MAX);
        r = parse_key(line, line->words[1], SU_NOTE_ED25519, &log->key, err);
        if (r < 0)
                return r;
        policy->n_logs++; /* from here on freed with the policy */
        for (size_t i = 0; i + 1 < policy->n_logs; i++)
                if (su_public_key_equal(policy->logs[i].key->key, log->key->key))
                        return fail_line(err, line, "the log '%s' has the key of '%s'",
                                         log->key->name, policy->logs[i].key->name);
        return copy_url(line, 2, &log->url, err);
}

static int add_name(const struct line *line, struct named **ret, struct su_error *err)
{
        struct su_policy *policy = line->policy;
        struct su_slice word = line->words[1];
        struct named *named = policy->names + policy->n_names;
        int r;

        if (su_slice_is(word, NOBODY))
                return fail_line(err, line, "the name '" NOBODY "' means nobody");
        if (find_name(policy, word))
                return fail_line(err, line, "the name '%.*s' is defined already", (int)word.size,
                                 word.text);
        *named = (struct named){0};
        r = copy_word(word, &named->name, err);
        if (r < 0)
                return r;
        policy->n_names++;
        *ret = named;
        return 0;
}

static int parse_witness(const struct line *line, struct su_error *err)
{
        struct su_policy *policy = line->policy;
        struct su_policy_witness *witness = policy->witnesses + policy->n_witnesses;
        struct named *named;
        int r;

        if (line->n_words < 3 || line->n_words > 4)
                return fail_line(err, line, "a witness is given as: witness NAME VKEY [URL]");
        if (policy->n_witnesses == SU_POLICY_WITNESSES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "%s:%u: there are more than %d witnesses",
                               line->file, line->number, SU_POLICY_WITNESSES_MAX);
        r = parse_key(line, line->words[2], SU_NOTE_COSIGNATURE, &witness->key, err);
        if (r < 0)
                return r;
        policy->n_witnesses++; /* from here on freed with the policy */
        for (size_t i = 0; i + 1 < policy->n_witnesses; i++)
                if (su_public_key_equal(policy->witnesses[i].key->key, witness->key->key))
                        return fail_line(err, line, "the witness has the key of '%s'",
                                         policy->witnesses[i].name);
        r = add_name(line, &named, err);
        if (r < 0)
                return r;
        named->witness = policy->n_witnesses - 1;
        r = copy_word(line->words[1], &witness->name, err);
        return r < 0 ? r : copy_url(line, 3, &witness->url, err);
}

static int add_member(const struct line *line, struct su_slice word, struct named *group,
                      struct su_error *err)
{
        struct named *member = find_name(line->policy, word);

        if (!member || member == group)
                return fail_line(err, line, "'%.*s' is not defined before this line",
                                 (int)word.size, word.text);
        if (member->is_member)
                return fail_line(err, line, "'%s' is a member already", member->name);
        member->is_member = true;
        group->members[group->n_members++] = (size_t)(member - line->policy->names);
        return 0;
}

static int parse_group(const struct line *line, struct su_error *err)
{
        struct su_policy *policy = line->policy;
        size_t n_members = line->n_words - 3;
        struct named *group;
        uint64_t needed;
        int r;

        if (line->n_words < 4)
                return fail_line(err, line,
                                 "a group is given as: group NAME all|any|NUMBER MEMBER...");
        if (policy->n_names - policy->n_witnesses == SU_POLICY_GROUPS_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "%s:%u: there are more than %d groups",
                               line->file, line->number, SU_POLICY_GROUPS_MAX);
        if (su_slice_is(line->words[2], "all"))
                needed = n_members;
        else if (su_slice_is(line->words[2], "any"))
                needed = 1;
        else if (!su_slice_decimal(line->words[2], n_members, &needed) || needed == 0)
                return fail_line(err, line, "'%.*s' is neither 'all', 'any' nor from 1 to %zu",
                                 (int)line->words[2].size, line->words[2].text, n_members);
        r = add_name(line, &group, err);
        if (r < 0)
                return r;
        group->is_group = true;
        group->needed = needed;
        for (size_t i = 3; r >= 0 && i < line->n_words; i++)
                r = add_member(line, line->words[i], group, err);
        return r;
}

static int parse_quorum(const struct line *line, struct su_error *err)
{
        struct su_policy *policy = line->policy;
        const struct named *named;

        if (line->n_words != 2)
                return fail_line(err, line, "the quorum is given as: quorum NAME|" NOBODY);
        if (policy->quorum_name)
                return fail_line(err, line, "there is a quorum already");
        named = find_name(policy, line->words[1]);
        if (!named && !su_slice_is(line->words[1], NOBODY))
                return fail_line(err, line, "'%.*s' is not defined before this line",
                                 (int)line->words[1].size, line->words[1].text);
        policy->quorum = named ? (size_t)(named - policy->names) : SIZE_MAX;
        return copy_word(line->words[1], &policy->quorum_name, err);
}

/* C2SP tlog-policy, "Character set"; other bytes are opaque. */
static bool is_allowed(unsigned char c)
{
        return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static int check_characters(const struct line *line, struct su_slice text, struct su_error *err)
{
        for (size_t i = 0; i < text.size; i++)
                if (!is_allowed((unsigned char)text.text[i]))
                        return fail_line(err, line, "there is a control character");
        return 0;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* No words: the line is empty or a comment. */
static int split_words(struct line *line, struct su_slice text, struct su_error *err)
{
        line->n_words = 0;
        for (size_t i = 0; i < text.size;) {
                size_t begin;

                for (; i < text.size && is_blank(text.text[i]); i++)
                        ;
                if (i == text.size || (line->n_words == 0 && text.text[i] == '#'))
                        return 0;
                if (line->n_words == WORDS_MAX)
                        return fail_line(err, line, "there are more words than names to use");
                for (begin = i; i < text.size && !is_blank(text.text[i]); i++)
                        ;
                line->words[line->n_words++] =
                        (struct su_slice){.text = text.text + begin, .size = i - begin};
        }
        return 0;
}

static int parse_line(struct line *line, struct su_slice text, struct su_error *err)
{
        int r;

        r = check_characters(line, text, err);
        if (r >= 0)
                r = split_words(line, text, err);
        if (r < 0 || line->n_words == 0)
                return r;
        if (su_slice_is(line->words[0], "log"))
                return parse_log(line, err);
        if (su_slice_is(line->words[0], "witness"))
                return parse_witness(line, err);
        if (su_slice_is(line->words[0], "group"))
                return parse_group(line, err);
        if (su_slice_is(line->words[0], "quorum"))
                return parse_quorum(line, err);
        return fail_line(err, line, "'%.*s' is neither log, witness, group nor quorum",
                         (int)line->words[0].size, line->words[0].text);
}

int su_policy_parse(const char *file, const char *text, size_t size, struct su_policy **ret,
                    struct su_error *err)
{
        struct su_lines lines = {.text = text, .left = size};
        su_auto_policy struct su_policy *policy = NULL;
        su_auto_free struct line *line = NULL;
        struct su_slice next;
        int r = 0;

        if (size > SU_POLICY_SIZE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "%s: a policy has at most %d bytes", file,
                               SU_POLICY_SIZE_MAX);
        policy = calloc(1, sizeof *policy);
        line = calloc(1, sizeof *line);
        if (!policy || !line)
                return su_fail_oom(err);
        line->policy = policy;
        line->file = file;
        while (r >= 0 && su_lines_next(&lines, &next)) {
                line->number++;
                r = parse_line(line, next, err);
        }
        if (r < 0)
                return r;
        line->number++;
        if (lines.left > 0)
                return fail_line(err, line, "the line does not end with a newline");
        if (!policy->quorum_name)
                return su_fail(err, SU_ERROR_CONFIG, "%s: there is no quorum", file);
        *ret = su_take(policy);
        return 0;
}

size_t su_policy_n_logs(const struct su_policy *policy)
{
        return policy->n_logs;
}

const struct su_policy_log *su_policy_log(const struct su_policy *policy, size_t i)
{
        return policy->logs + i;
}

size_t su_policy_n_witnesses(const struct su_policy *policy)
{
        return policy->n_witnesses;
}

const struct su_policy_witness *su_policy_witness(const struct su_policy *policy, size_t i)
{
        return policy->witnesses + i;
}

const char *su_policy_quorum_name(const struct su_policy *policy)
{
        return policy->quorum_name;
}

static bool needs_nobody(const struct su_policy *policy)
{
        return policy->quorum == SIZE_MAX;
}

/* Members stand before their groups, so that one pass is enough. */
static bool is_quorum_since(const struct su_policy *policy, const struct su_policy_vote *votes,
                            int64_t since)
{
        bool witnessed[NAMES_MAX] = {false};

        if (needs_nobody(policy))
                return true;
        for (size_t i = 0; i < policy->n_names; i++) {
                const struct named *named = policy->names + i;
                size_t n = 0;

                if (!named->is_group) {
                        const struct su_policy_vote *vote = votes + named->witness;

                        witnessed[i] = vote->cosigned && vote->time >= since;
                        continue;
                }
                for (size_t m = 0; m < named->n_members; m++)
                        n += witnessed[named->members[m]];
                witnessed[i] = n >= named->needed;
        }
        return witnessed[policy->quorum];
}

bool su_policy_is_quorum(const struct su_policy *policy, const struct su_policy_vote *votes)
{
        return is_quorum_since(policy, votes, INT64_MIN);
}

bool su_policy_quorum_time(const struct su_policy *policy, const struct su_policy_vote *votes,
                           int64_t *ret)
{
        bool found = false;
        int64_t latest = 0;

        if (needs_nobody(policy))
                return false;
        for (size_t i = 0; i < policy->n_witnesses; i++) {
                if (!votes[i].cosigned || (found && votes[i].time <= latest) ||
                    !is_quorum_since(policy, votes, votes[i].time))
                        continue;
                latest = votes[i].time;
                found = true;
        }
        if (found)
                *ret = latest;
        return found;
}
