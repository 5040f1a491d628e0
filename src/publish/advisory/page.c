/* A section of each level, the newest first, so that who comes from an older link finds its place:
 * ids are those of the levels. Nothing here depends on today: of a roll-out its steps are told. */
#include "publish/advisory/page.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/advisory/csaf.h"
#include "publish/advisory/escape.h"
#include "publish/advisory/names.h"

struct page {
        const struct su_advised *subject;
        FILE *out;
};

static void put_time(FILE *out, int64_t when)
{
        static const char *const months[] = {"January",   "February", "March",    "April",
                                             "May",       "June",     "July",     "August",
                                             "September", "October",  "November", "December"};
        const time_t seconds = (time_t)when;
        char machine[SU_TIME_TEXT_SIZE];
        struct tm tm;

        su_time_format(when, machine);
        if (!gmtime_r(&seconds, &tm)) {
                (void)fputs(machine, out);
                return;
        }
        (void)fprintf(out, "<time datetime=\"%s\">%d %s %d, %02d:%02d UTC</time>", machine,
                      tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min);
}

/* A text that others wrote, which may be written from right to left. */
static void put_foreign(FILE *out, const char *text)
{
        (void)fputs("<bdi>", out);
        su_put_escaped(out, text);
        (void)fputs("</bdi>", out);
}

static void put_head(FILE *out, const char *title, const char *up, bool has_feed)
{
        (void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
                    out);
        su_put_escaped(out, title);
        (void)fprintf(out, "</title>\n<link rel=\"stylesheet\" href=\"%sstyle.css\">\n", up);
        if (has_feed)
                (void)fputs("<link rel=\"alternate\" type=\"application/atom+xml\" "
                            "href=\"feed.atom\">\n",
                            out);
        (void)fputs("</head>\n<body>\n", out);
}

static void put_publisher(FILE *out, const struct su_advisory_config *config)
{
        (void)fputs("<footer>\n<p>Published by ", out);
        put_foreign(out, config->name);
        if (config->contact) {
                (void)fputs(", ", out);
                put_foreign(out, config->contact);
        }
        (void)fputs(
                ".</p>\n<p>What counts is the signed manifest of each improvement, which devices "
                "verify; this page repeats what it says.</p>\n</footer>\n</body>\n</html>\n",
                out);
}

static void put_steps(const struct page *page, const struct su_channel_level *state)
{
        for (size_t i = 0; i < state->n_rollout; i++) {
                (void)fprintf(page->out, "%s%d&nbsp;%% of the devices from ",
                              i == 0 ? "Offered to " : ", to ", state->rollout[i].percent);
                put_time(page->out, state->rollout[i].from);
        }
        (void)fputs(state->n_rollout > 0 ? "." : "Not offered.", page->out);
        for (size_t i = 0; i < state->n_groups; i++)
                (void)fprintf(page->out, "%s%s", i == 0 ? " First to the machines of: " : ", ",
                              state->groups[i]);
        if (state->n_groups > 0)
                (void)fputc('.', page->out);
}

static int put_state(const struct page *page, const struct su_advised_level *level,
                     struct su_error *err)
{
        const struct su_channel *channel = &page->subject->channel;
        const struct su_channel_level *state = level->state;
        su_auto_free char *current = NULL;
        FILE *out = page->out;
        int r;

        if (state->recall_reason) {
                (void)fputs("<p class=\"state recalled\"><strong>Recalled</strong> on ", out);
                put_time(out, level->recalled);
                (void)fputs(": ", out);
                put_foreign(out, state->recall_reason);
                (void)fputs(". Devices leave this level, and its fixes with it.</p>\n", out);
                return 0;
        }
        if (su_level_compare(&state->level, &channel->current) != 0 && channel->current.name[0]) {
                r = su_advisory_version(page->subject, &channel->current, &current, err);
                if (r < 0)
                        return r;
                (void)fprintf(out,
                              "<p class=\"state\"><strong>Followed</strong> by <a "
                              "href=\"#level-%s\">",
                              channel->current.name);
                su_put_escaped(out, current);
                (void)fputs("</a>, which is offered now.</p>\n", out);
                return 0;
        }
        (void)fputs("<p class=\"state\">", out);
        if (state->paused) {
                (void)fputs("<strong>Paused</strong> since ", out);
                put_time(out, state->paused);
                (void)fputs(": nobody is offered it until it goes on. ", out);
        }
        put_steps(page, state);
        (void)fputs("</p>\n", out);
        return 0;
}

static int put_fix(const struct page *page, const struct su_fix *fix, struct su_error *err)
{
        su_auto_free char *url = NULL;
        FILE *out = page->out;
        int r;

        r = su_advisory_fix_url(fix, &url, err);
        if (r < 0)
                return r;
        (void)fputs("<li>\n<h4>", out);
        if (url) {
                (void)fputs("<a href=\"", out);
                su_put_escaped(out, url);
                (void)fputs("\">", out);
        }
        su_put_escaped(out, fix->id);
        (void)fputs(url ? "</a>" : "", out);
        if (fix->title) {
                (void)fputs(": ", out);
                put_foreign(out, fix->title);
        }
        (void)fputs("</h4>\n", out);
        if (fix->severity)
                (void)fprintf(out, "<p>Severity: <span class=\"severity %s\">%s</span></p>\n",
                              fix->severity, fix->severity);
        if (fix->impact) {
                (void)fputs("<p>Impact: ", out);
                put_foreign(out, fix->impact);
                (void)fputs("</p>\n", out);
        }
        if (fix->credit) {
                (void)fputs("<p>Credit: ", out);
                put_foreign(out, fix->credit);
                (void)fputs("</p>\n", out);
        }
        (void)fputs("</li>\n", out);
        return 0;
}

static void put_facts(FILE *out, const char *when, bool is_there, const struct su_file_facts *facts)
{
        char sha256[SU_SHA256_HEX_SIZE];
        char build_id[2 * SU_BUILD_ID_MAX + 1];

        (void)fprintf(out, "<dt>%s</dt>\n", when);
        if (!is_there) {
                (void)fputs("<dd>not there</dd>\n", out);
                return;
        }
        su_hex_encode(facts->sha256.bytes, sizeof facts->sha256.bytes, sha256);
        (void)fprintf(out, "<dd>%llu bytes <span>SHA-256 <code>%s</code></span>",
                      (unsigned long long)facts->size, sha256);
        if (facts->build_id.size > 0) {
                su_hex_encode(facts->build_id.bytes, facts->build_id.size, build_id);
                (void)fprintf(out, " <span>build-id <code>%s</code></span>", build_id);
        }
        (void)fputs("</dd>\n", out);
}

static void put_files(const struct page *page, const struct su_component *component)
{
        FILE *out = page->out;

        (void)fprintf(out, "<details>\n<summary>%zu %s of %s</summary>\n<ul class=\"files\">\n",
                      component->n_files, component->n_files == 1 ? "file" : "files",
                      component->name);
        for (size_t i = 0; i < component->n_files; i++) {
                const struct su_changed_file *file = &component->files[i];

                (void)fputs("<li>\n<code class=\"path\">", out);
                su_put_escaped(out, file->path);
                (void)fputs("</code>\n<dl>\n", out);
                put_facts(out, "Before", !file->is_new, &file->before);
                put_facts(out, "After", !file->is_gone, &file->after);
                (void)fputs("</dl>\n</li>\n", out);
        }
        (void)fputs("</ul>\n</details>\n", out);
}

static int put_component(const struct page *page, const struct su_component *component,
                         struct su_error *err)
{
        FILE *out = page->out;
        int r = 0;

        (void)fprintf(out, "<h3>%s</h3>\n<p class=\"versions\">", component->name);
        if (component->old_version) {
                (void)fputs("From <b>", out);
                su_put_escaped(out, component->old_version);
                (void)fputs("</b> to <b>", out);
        } else
                (void)fputs("Now <b>", out);
        su_put_escaped(out, component->new_version);
        (void)fputs("</b></p>\n", out);
        if (component->n_fixes > 0)
                (void)fputs("<ul class=\"fixes\">\n", out);
        for (size_t i = 0; i < component->n_fixes && r >= 0; i++)
                r = put_fix(page, &component->fixes[i], err);
        if (component->n_fixes > 0)
                (void)fputs("</ul>\n", out);
        put_files(page, component);
        return r;
}

/* Levels are cumulative: what an earlier one told is not told again. */
static int put_carried(const struct page *page, const struct su_advised_level *level,
                       struct su_error *err)
{
        const struct su_manifest *manifest = &level->manifest;
        bool is_first = true;

        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];
                const struct su_advised_level *origin =
                        su_advised_origin(page->subject, level, component);
                su_auto_free char *version = NULL;
                int r;

                if (origin == level)
                        continue;
                r = su_advisory_version(page->subject, &origin->state->level, &version, err);
                if (r < 0)
                        return r;
                (void)fprintf(page->out, "%s%s of <a href=\"#level-%s\">",
                              is_first ? "<p>It also has " : ", ", component->name,
                              origin->state->level.name);
                su_put_escaped(page->out, version);
                (void)fputs("</a>", page->out);
                is_first = false;
        }
        (void)fputs(is_first ? "" : ".</p>\n", page->out);
        return 0;
}

static int put_documents(const struct page *page, const struct su_advised_level *level,
                         struct su_error *err)
{
        su_auto_free char *osv = NULL;
        su_auto_free char *csaf = NULL;
        int r;

        r = su_advisory_osv_file(page->subject, level, &osv, err);
        if (r >= 0)
                r = su_advisory_csaf_file(page->subject, level, &csaf, err);
        if (r < 0)
                return r;
        (void)fputs("<p class=\"documents\">For programs: <a href=\"", page->out);
        su_put_escaped(page->out, osv);
        (void)fputs("\">OSV</a>", page->out);
        if (su_advisory_has_csaf(level))
                (void)fprintf(page->out, ", <a href=\"%s\">CSAF (VEX)</a>", csaf);
        (void)fputs("</p>\n", page->out);
        return 0;
}

static int put_level(const struct page *page, const struct su_advised_level *level,
                     struct su_error *err)
{
        const struct su_manifest *manifest = &level->manifest;
        const char *name = level->state->level.name;
        su_auto_free char *version = NULL;
        FILE *out = page->out;
        int r;

        r = su_advisory_version(page->subject, &level->state->level, &version, err);
        if (r < 0)
                return r;
        (void)fprintf(out,
                      "<section id=\"level-%s\" aria-labelledby=\"heading-%s\">\n"
                      "<h2 id=\"heading-%s\">",
                      name, name, name);
        su_put_escaped(out, version);
        (void)fputs("</h2>\n<p class=\"released\">Released on ", out);
        put_time(out, level->published);
        (void)fputs("</p>\n", out);
        r = put_state(page, level, err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                if (su_advised_origin(page->subject, level, &manifest->components[i]) == level)
                        r = put_component(page, &manifest->components[i], err);
        if (r >= 0)
                r = put_carried(page, level, err);
        if (r >= 0)
                r = put_documents(page, level, err);
        (void)fputs("</section>\n", out);
        return r;
}

static int put_all(const struct page *page, struct su_error *err)
{
        const struct su_advised *subject = page->subject;
        su_auto_free char *title = NULL;
        FILE *out = page->out;
        int r;

        r = su_format(&title, err, "About the security content of %s", subject->os_name);
        if (r < 0)
                return r;
        put_head(out, title, "../", true);
        (void)fputs("<header>\n<p><a href=\"../index.html\">All systems</a></p>\n<h1>", out);
        su_put_escaped(out, title);
        (void)fprintf(out,
                      "</h1>\n<p>Background security improvements of <code>%s</code>, the newest "
                      "first. Each has the fixes of those before it, apart from what was recalled. "
                      "News of them: <a href=\"feed.atom\">Atom feed</a>.</p>\n</header>\n<main>\n",
                      subject->baseline);
        for (size_t i = subject->n_levels; i > 0 && r >= 0; i--)
                r = put_level(page, &subject->levels[i - 1], err);
        (void)fputs("</main>\n", out);
        put_publisher(out, subject->config);
        return r;
}

int su_advisory_page(const struct su_advised *subject, char **ret_text, size_t *ret_size,
                     struct su_error *err)
{
        su_auto_pad struct su_pad pad = {0};
        int r;

        r = su_pad_open(&pad, err);
        if (r >= 0)
                r = put_all(&(struct page){.subject = subject, .out = pad.out}, err);
        return r < 0 ? r : su_pad_take(&pad, ret_text, ret_size, err);
}

static int put_row(FILE *out, const struct su_advised *subject, struct su_error *err)
{
        const struct su_level *current = &subject->channel.current;
        su_auto_free char *version = NULL;
        int r;

        r = su_advisory_version(subject, current, &version, err);
        if (r < 0)
                return r;
        (void)fprintf(out, "<li>\n<h2><a href=\"%s/index.html\">", subject->baseline);
        su_put_escaped(out, subject->os_name);
        (void)fprintf(out, "</a></h2>\n<p><code>%s</code></p>\n<p>", subject->baseline);
        if (current->name[0]) {
                (void)fprintf(out, "Offered: <a href=\"%s/index.html#level-%s\">",
                              subject->baseline, current->name);
                su_put_escaped(out, version);
                (void)fputs("</a>. ", out);
        } else
                (void)fputs("Nothing is offered now. ", out);
        (void)fputs("Last change: ", out);
        put_time(out, su_advised_newest(subject));
        (void)fputs("</p>\n</li>\n", out);
        return 0;
}

int su_advisory_index(const struct su_advisory_config *config, const struct su_advised *subjects,
                      size_t n_subjects, char **ret_text, size_t *ret_size, struct su_error *err)
{
        static const char title[] = "Security content of background improvements";
        su_auto_pad struct su_pad pad = {0};
        int r;

        r = su_pad_open(&pad, err);
        if (r < 0)
                return r;
        put_head(pad.out, title, "", false);
        (void)fprintf(pad.out, "<header>\n<h1>%s</h1>\n</header>\n<main>\n", title);
        (void)fputs(n_subjects > 0 ? "<ul class=\"systems\">\n"
                                   : "<p>Nothing is released yet.</p>\n",
                    pad.out);
        for (size_t i = 0; i < n_subjects && r >= 0; i++)
                r = put_row(pad.out, &subjects[i], err);
        (void)fputs(n_subjects > 0 ? "</ul>\n</main>\n" : "</main>\n", pad.out);
        put_publisher(pad.out, config);
        return r < 0 ? r : su_pad_take(&pad, ret_text, ret_size, err);
}
