#include "publish/upload/place.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define SCHEME "s3://"

void su_s3_place_done(struct su_s3_place *place)
{
        if (place->secret)
                explicit_bzero(place->secret, strlen(place->secret));
        free(place->bucket);
        free(place->prefix);
        free(place->url);
        free(place->region);
        free(place->key_id);
        free(place->secret);
        free(place->token);
        *place = (struct su_s3_place){0};
}

static bool bucket_is_usable(const char *bucket)
{
        size_t size = strlen(bucket);

        return size >= 3 && size <= 63 && bucket[0] != '-' && bucket[0] != '.' &&
               strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") == size;
}

/* Names parted by slashes; one slash at the end may be left out. */
static int read_prefix(const char *text, char **ret, struct su_error *err)
{
        su_auto_free char *copy = NULL;
        char *rest = NULL;
        int r;

        r = su_strdup(text, &copy, err);
        if (r < 0)
                return r;
        for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest))
                if (!su_name_is_safe(name))
                        return su_fail(err, SU_ERROR_USAGE, "'%s' is no usable prefix", text);
        if (strstr(text, "//") || text[0] == '/')
                return su_fail(err, SU_ERROR_USAGE, "'%s' is no usable prefix", text);
        return su_format(ret, err, "%s%s", text, text[0] && !su_ends_with(text, "/") ? "/" : "");
}

static int read_where(const char *where, struct su_s3_place *place, struct su_error *err)
{
        const char *bucket = where + strlen(SCHEME);
        const char *slash;

        if (!su_starts_with(where, SCHEME))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is not s3://BUCKET[/PREFIX]", where);
        slash = strchrnul(bucket, '/');
        place->bucket = strndup(bucket, (size_t)(slash - bucket));
        if (!place->bucket)
                return su_fail_oom(err);
        if (!bucket_is_usable(place->bucket))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is no bucket's name", place->bucket);
        return read_prefix(*slash ? slash + 1 : slash, &place->prefix, err);
}

static const char *said(const char *option, const char *variable, const char *otherwise)
{
        const char *value = option ? option : getenv(variable);

        return value && value[0] ? value : otherwise;
}

static int read_endpoint(const char *endpoint, struct su_s3_place *place, struct su_error *err)
{
        const char *url = said(endpoint, "AWS_ENDPOINT_URL", NULL);
        size_t size;

        if (!url)
                return su_fail(err, SU_ERROR_CONFIG,
                               "say with --endpoint or AWS_ENDPOINT_URL where the object store is");
        if (!su_starts_with(url, "http://") && !su_starts_with(url, "https://"))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is no http:// or https:// URL", url);
        if (strpbrk(url, "@?# "))
                return su_fail(err, SU_ERROR_USAGE,
                               "an endpoint has neither credentials nor a query");
        for (size = strlen(url); size > 0 && url[size - 1] == '/';)
                size--;
        return su_format(&place->url, err, "%.*s/%s", (int)size, url, place->bucket);
}

static int read_secret(const char *variable, char **ret, struct su_error *err)
{
        const char *value = said(NULL, variable, NULL);

        return value ? su_strdup(value, ret, err)
                     : su_fail(err, SU_ERROR_CONFIG,
                               "the environment has no %s: the object store asks for it", variable);
}

int su_s3_place_find(const char *where, const char *endpoint, const char *region,
                     struct su_s3_place *ret, struct su_error *err)
{
        su_auto_s3_place struct su_s3_place place = {0};
        const char *token = said(NULL, "AWS_SESSION_TOKEN", NULL);
        const char *name = said(region, "AWS_REGION", "us-east-1");
        int r;

        r = read_where(where, &place, err);
        if (r >= 0)
                r = read_endpoint(endpoint, &place, err);
        if (r >= 0 && !su_name_is_safe(name))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is no region's name", name);
        if (r >= 0)
                r = su_strdup(name, &place.region, err);
        if (r >= 0)
                r = read_secret("AWS_ACCESS_KEY_ID", &place.key_id, err);
        if (r >= 0)
                r = read_secret("AWS_SECRET_ACCESS_KEY", &place.secret, err);
        if (r >= 0 && token)
                r = su_strdup(token, &place.token, err);
        if (r < 0)
                return r;
        *ret = place;
        place = (struct su_s3_place){0};
        return 0;
}
