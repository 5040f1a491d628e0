#include "publish/advisory/feed.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/advisory/escape.h"
#include "publish/advisory/names.h"

static void put_element(FILE *out, const char *name, const char *text)
{
        (void)fprintf(out, "<%s>", name);
        su_put_escaped(out, text);
        (void)fprintf(out, "</%s>\n", name);
}

static void put_time(FILE *out, const char *name, int64_t when)
{
        char text[SU_TIME_TEXT_SIZE];

        su_time_format(when, text);
        put_element(out, name, text);
}

/* The name says what it is of, where, and whose: ids of two feeds never meet. */
static int put_id(FILE *out, const struct su_advised *subject, const char *what, const char *level,
                  struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_free char *urn = NULL;
        int r;

        r = su_format(&name, err, "suture-advisory\n%s\n%s\n%s\n%s\n", subject->config->url,
                      subject->baseline, what, level);
        if (r >= 0)
                r = su_advisory_urn(name, &urn, err);
        if (r >= 0)
                put_element(out, "id", urn);
        return r;
}

static void put_link(FILE *out, const char *relation, const char *type, const char *url)
{
        (void)fprintf(out, "<link rel=\"%s\" type=\"%s\" href=\"", relation, type);
        su_put_escaped(out, url);
        (void)fputs("\"/>\n", out);
}

/* Only what is new in the level: readers had the rest before. */
static void put_fixes(FILE *out, const struct su_advised *subject,
                      const struct su_advised_level *level)
{
        size_t n = 0;

        for (size_t i = 0; i < level->manifest.n_components; i++) {
                const struct su_component *component = &level->manifest.components[i];

                if (su_advised_origin(subject, level, component) != level)
                        continue;
                for (size_t j = 0; j < component->n_fixes; j++) {
                        (void)fputs(n++ == 0 ? "Fixes " : "; ", out);
                        su_put_escaped(out, component->fixes[j].id);
                        if (component->fixes[j].title) {
                                (void)fputs(": ", out);
                                su_put_escaped(out, component->fixes[j].title);
                        }
                }
        }
        (void)fputs(n > 0 ? "." : "It names no new fixes.", out);
}

static int put_entry(FILE *out, const struct su_advised *subject,
                     const struct su_advised_level *level, bool is_recall, struct su_error *err)
{
        su_auto_free char *title = NULL;
        su_auto_free char *page = NULL;
        int r;

        r = su_advisory_title(subject, level, &title, err);
        if (r >= 0)
                r = su_advisory_section_url(subject, level, &page, err);
        if (r < 0)
                return r;
        (void)fputs("<entry>\n<title>", out);
        (void)fputs(is_recall ? "Recalled: " : "", out);
        su_put_escaped(out, title);
        (void)fputs("</title>\n", out);
        r = put_id(out, subject, is_recall ? "recall" : "release", level->state->level.name, err);
        put_time(out, "published", is_recall ? level->recalled : level->published);
        put_time(out, "updated", is_recall ? level->recalled : level->published);
        put_link(out, "alternate", "text/html", page);
        (void)fprintf(out, "<category term=\"%s\"/>\n<summary>", is_recall ? "recall" : "release");
        if (is_recall)
                su_put_escaped(out, level->state->recall_reason);
        else
                put_fixes(out, subject, level);
        (void)fputs("</summary>\n</entry>\n", out);
        return r;
}

static int put_feed(FILE *out, const struct su_advised *subject, struct su_error *err)
{
        su_auto_free char *title = NULL;
        su_auto_free char *self = NULL;
        su_auto_free char *page = NULL;
        int r;

        r = su_format(&title, err, "Security content of %s", subject->os_name);
        if (r >= 0)
                r = su_advisory_url(subject, "feed.atom", &self, err);
        if (r >= 0)
                r = su_advisory_url(subject, "index.html", &page, err);
        if (r < 0)
                return r;
        (void)fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                    "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n",
                    out);
        put_element(out, "title", title);
        r = put_id(out, subject, "feed", "", err);
        put_time(out, "updated", su_advised_newest(subject));
        (void)fputs("<author>\n", out);
        put_element(out, "name", subject->config->name);
        (void)fputs("</author>\n", out);
        put_link(out, "self", "application/atom+xml", self);
        put_link(out, "alternate", "text/html", page);
        for (size_t i = subject->n_levels; i > 0 && r >= 0; i--) {
                const struct su_advised_level *level = &subject->levels[i - 1];

                if (level->recalled)
                        r = put_entry(out, subject, level, true, err);
                if (r >= 0)
                        r = put_entry(out, subject, level, false, err);
        }
        (void)fputs("</feed>\n", out);
        return r;
}

int su_advisory_feed(const struct su_advised *subject, char **ret_text, size_t *ret_size,
                     struct su_error *err)
{
        su_auto_pad struct su_pad pad = {0};
        int r;

        r = su_pad_open(&pad, err);
        if (r >= 0)
                r = put_feed(pad.out, subject, err);
        return r < 0 ? r : su_pad_take(&pad, ret_text, ret_size, err);
}
