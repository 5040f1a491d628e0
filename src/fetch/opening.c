#include "fetch/opening.h"

#include <string.h>

#include "base/text.h"
#include "fetch/answer.h"

/* Raised whenever any message to a fetcher, or from one, changes. */
#define VERSION 1
#define TEXT_MAX 4096

struct opening_head {
        uint32_t version;
        uint32_t url_size; /* the proxy follows it; "" for none */
        uint64_t max_rate;
};

static int refuse(struct su_error *err)
{
        return su_fail(err, SU_ERROR_FORMAT, "what a fetcher was told first is malformed");
}

int su_opening_format(const struct su_fetch_options *options, uint8_t **ret, size_t *ret_size,
                      struct su_error *err)
{
        const char *proxy = options->proxy ? options->proxy : "";
        const size_t url_size = strlen(options->base_url) + 1, proxy_size = strlen(proxy) + 1;
        struct opening_head head = {.version = VERSION, .max_rate = options->max_rate};
        const size_t size = sizeof head + url_size + proxy_size;
        uint8_t *data;

        if (url_size > TEXT_MAX || proxy_size > TEXT_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE,
                               "the URL of the repository, or of the proxy, is too long");
        data = malloc(size);
        if (!data)
                return su_fail_oom(err);
        head.url_size = (uint32_t)url_size;
        memcpy(data, &head, sizeof head);
        memcpy(data + sizeof head, options->base_url, url_size);
        memcpy(data + sizeof head + url_size, proxy, proxy_size);
        *ret = data;
        *ret_size = size;
        return 0;
}

/* Two texts, each with its end, and nothing else. */
static bool is_pair(const char *text, size_t size, size_t first_size)
{
        return first_size > 0 && first_size < size && first_size <= TEXT_MAX &&
               size - first_size <= TEXT_MAX && strnlen(text, first_size) == first_size - 1 &&
               strnlen(text + first_size, size - first_size) == size - first_size - 1;
}

int su_opening_parse(const struct su_message *message, struct su_fetch_options *ret,
                     struct su_error *err)
{
        struct opening_head head;
        const char *url = (const char *)message->data + sizeof head;

        if (message->kind != SU_ANSWER_OPENING || message->size < sizeof head)
                return refuse(err);
        memcpy(&head, message->data, sizeof head);
        if (head.version != VERSION)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "suture-fetch and who asks it are of different versions");
        if (!is_pair(url, message->size - sizeof head, head.url_size) || head.max_rate > INT64_MAX)
                return refuse(err);
        if (!su_starts_with(url, "http://") && !su_starts_with(url, "https://"))
                return su_fail(err, SU_ERROR_CONFIG,
                               "a fetcher is for http:// and https://, and not for '%.100s'", url);
        *ret = (struct su_fetch_options){.base_url = url,
                                         .proxy = url[head.url_size] ? url + head.url_size : NULL,
                                         .max_rate = head.max_rate};
        return 0;
}
