#include "publish/advisory/names.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "crypto/sha256.h"
#include "publish/advisory/escape.h"

int su_advisory_id(const struct su_advised *subject, const struct su_advised_level *level,
                   char **ret, struct su_error *err)
{
        return su_format(ret, err, "%s-%s-%s", subject->config->prefix, subject->baseline,
                         level->state->level.name);
}

int su_advisory_osv_file(const struct su_advised *subject, const struct su_advised_level *level,
                         char **ret, struct su_error *err)
{
        su_auto_free char *id = NULL;
        int r;

        r = su_advisory_id(subject, level, &id, err);
        return r < 0 ? r : su_format(ret, err, "osv/%s.json", id);
}

/* CSAF 2.0, section 5.1: the id in lower case, with "_" for each run of other characters. */
int su_advisory_csaf_file(const struct su_advised *subject, const struct su_advised_level *level,
                          char **ret, struct su_error *err)
{
        su_auto_free char *id = NULL;
        char *to;
        int r;

        r = su_advisory_id(subject, level, &id, err);
        if (r < 0)
                return r;
        to = id;
        for (const char *from = id; *from; from++) {
                const char c = (char)tolower((unsigned char)*from);

                if (strchr("+-abcdefghijklmnopqrstuvwxyz0123456789", c))
                        *to++ = c;
                else if (to == id || to[-1] != '_')
                        *to++ = '_';
        }
        *to = '\0';
        return su_format(ret, err, "csaf/%s.json", id);
}

int su_advisory_url(const struct su_advised *subject, const char *file, char **ret,
                    struct su_error *err)
{
        return su_format(ret, err, "%s/" SU_ADVISORIES "/%s/%s", subject->config->url,
                         subject->baseline, file);
}

int su_advisory_section_url(const struct su_advised *subject, const struct su_advised_level *level,
                            char **ret, struct su_error *err)
{
        su_auto_free char *file = NULL;
        int r;

        r = su_format(&file, err, "index.html#level-%s", level->state->level.name);
        return r < 0 ? r : su_advisory_url(subject, file, ret, err);
}

bool su_advisory_is_cve(const char *id)
{
        static const char digits[] = "0123456789";
        size_t year;

        if (!su_starts_with(id, "CVE-"))
                return false;
        id += strlen("CVE-");
        year = strspn(id, digits);
        if (year != 4 || id[year] != '-')
                return false;
        id += year + 1;
        return strspn(id, digits) >= 4 && id[strspn(id, digits)] == '\0';
}

int su_advisory_fix_url(const struct su_fix *fix, char **ret, struct su_error *err)
{
        if (fix->url)
                return su_strdup(fix->url, ret, err);
        if (su_advisory_is_cve(fix->id))
                return su_format(ret, err, "https://www.cve.org/CVERecord?id=%s", fix->id);
        *ret = NULL;
        return 0;
}

int su_advisory_version(const struct su_advised *subject, const struct su_level *level, char **ret,
                        struct su_error *err)
{
        return su_format(ret, err, "%s%s(%s)", subject->version, subject->version[0] ? " " : "",
                         level->name);
}

int su_advisory_title(const struct su_advised *subject, const struct su_advised_level *level,
                      char **ret, struct su_error *err)
{
        const struct su_manifest *manifest = &level->manifest;
        su_auto_pad struct su_pad pad = {0};
        su_auto_free char *os_name = NULL;
        size_t size;
        int r;

        r = su_plain_text(subject->os_name, &os_name, err);
        if (r >= 0)
                r = su_pad_open(&pad, err);
        if (r < 0)
                return r;
        (void)fprintf(pad.out, "%s, level (%s)", os_name, level->state->level.name);
        for (size_t i = 0; i < manifest->n_components; i++)
                (void)fprintf(pad.out, "%s%s", i == 0 ? ": " : ", ", manifest->components[i].name);
        return su_pad_take(&pad, ret, &size, err);
}

int su_advisory_urn(const char *name, char **ret, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        int r;

        r = su_sha256_of(name, strlen(name), &digest, err);
        if (r < 0)
                return r;
        digest.bytes[6] = 0x80 | (digest.bytes[6] & 0x0f);
        digest.bytes[8] = 0x80 | (digest.bytes[8] & 0x3f);
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        return su_format(ret, err, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                         hex + 16, hex + 20);
}
