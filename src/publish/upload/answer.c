#include "publish/upload/answer.h"

#include <string.h>

#include "base/text.h"

#define OBJECTS_MAX 100000
#define TOKEN_MAX 8192

/* The next thing of a document: a tag, and the text before it. */
struct token {
        const char *text;
        size_t text_size;
        const char *name;
        size_t name_size;
        bool is_end;
};

struct scanner {
        const char *at;
        const char *end;
        bool is_bad;
};

static bool is_called(const struct token *token, const char *name)
{
        return token->name_size == strlen(name) && memcmp(token->name, name, strlen(name)) == 0;
}

/* False at the end, or where it is no XML that a store sends: comments and the like are none. A
 * declaration has no text before it that anybody wants. */
static bool next(struct scanner *scanner, struct token *ret)
{
        const char *open = memchr(scanner->at, '<', (size_t)(scanner->end - scanner->at));
        const char *close = open ? memchr(open, '>', (size_t)(scanner->end - open)) : NULL;
        const char *name;

        if (!close) {
                scanner->is_bad = open != NULL;
                return false;
        }
        if (open[1] == '!') {
                scanner->is_bad = true;
                return false;
        }
        *ret = (struct token){.text = scanner->at, .text_size = (size_t)(open - scanner->at)};
        ret->is_end = open[1] == '/';
        name = open + 1 + ret->is_end;
        ret->name = name;
        while (name < close && *name != ' ' && *name != '/' && *name != '\t' && *name != '\n' &&
               *name != '\r')
                name++;
        ret->name_size = (size_t)(name - ret->name);
        scanner->at = close + 1;
        return true;
}

/* "&#65;", "&#x41;" */
static int number_of(const char *text, size_t size)
{
        bool is_hex = size > 2 && text[2] == 'x';
        int number = 0;

        for (size_t i = is_hex ? 3 : 2; i + 1 < size; i++) {
                const char *digits = "0123456789abcdef0123456789ABCDEF";
                const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
                int value = digit ? (int)((digit - digits) % 16) : 16;

                if (value >= (is_hex ? 16 : 10) || number > 0xffff)
                        return '?';
                number = number * (is_hex ? 16 : 10) + value;
        }
        return number;
}

/* One character of the text, as it was written; `ret_size` bytes of it stand for that. */
static int character(const char *text, size_t size, size_t *ret_size)
{
        static const struct {
                const char *name;
                char is;
        } entities[] = {
                {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''},
        };
        const char *end;

        *ret_size = 1;
        if (text[0] != '&')
                return (unsigned char)text[0];
        end = memchr(text, ';', size < 12 ? size : 12);
        if (!end)
                return '?';
        *ret_size = (size_t)(end - text) + 1;
        for (size_t i = 0; i < SU_ELEMENTS(entities); i++)
                if (strlen(entities[i].name) == *ret_size &&
                    memcmp(entities[i].name, text, *ret_size) == 0)
                        return entities[i].is;
        return text[1] == '#' ? number_of(text, *ret_size) : '?';
}

/* `ret` has room for `max` bytes and a NUL; false when the text is longer. */
static bool decode(const char *text, size_t size, char *ret, size_t max)
{
        size_t n = 0;

        for (size_t i = 0; i < size && n < max; n++) {
                size_t step;
                int c = character(text + i, size - i, &step);

                ret[n] = c >= ' ' && c <= '~' ? (char)c : '?';
                i += step;
                if (n + 1 == max && i < size) {
                        ret[max] = '\0';
                        return false;
                }
        }
        ret[n] = '\0';
        return true;
}

void su_s3_page_done(struct su_s3_page *page)
{
        for (size_t i = 0; i < page->n; i++)
                free(page->objects[i].key);
        free(page->objects);
        free(page->next);
        *page = (struct su_s3_page){0};
}

/* What is between <Contents> and </Contents>, so far. */
struct entry {
        bool is_open;
        bool has_size;
        char key[SU_S3_KEY_MAX + 1];
        uint64_t size;
};

static bool read_size(const struct token *token, uint64_t *ret)
{
        *ret = 0;
        for (size_t i = 0; i < token->text_size; i++) {
                if (token->text[i] < '0' || token->text[i] > '9' || *ret > UINT64_MAX / 10 - 1)
                        return false;
                *ret = *ret * 10 + (uint64_t)(token->text[i] - '0');
        }
        return token->text_size > 0;
}

static int add(struct su_s3_page *page, struct entry *entry, struct su_error *err)
{
        struct su_s3_object *larger;
        int r;

        if (!entry->key[0] || !entry->has_size || page->n >= OBJECTS_MAX)
                return su_fail(err, SU_ERROR_FORMAT, "the list has an object without a name");
        larger = reallocarray(page->objects, page->n + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        page->objects = larger;
        larger[page->n] = (struct su_s3_object){.size = entry->size};
        r = su_strdup(entry->key, &larger[page->n].key, err);
        if (r >= 0)
                page->n++;
        entry->is_open = false;
        return r;
}

static int read_end(const struct token *token, struct entry *entry, struct su_s3_page *page,
                    bool *is_truncated, struct su_error *err)
{
        if (is_called(token, "Contents"))
                return add(page, entry, err);
        if (entry->is_open && is_called(token, "Key") &&
            !decode(token->text, token->text_size, entry->key, SU_S3_KEY_MAX))
                return su_fail(err, SU_ERROR_FORMAT, "the list has too long a name");
        if (entry->is_open && is_called(token, "Size")) {
                entry->has_size = read_size(token, &entry->size);
                if (!entry->has_size)
                        return su_fail(err, SU_ERROR_FORMAT, "the list has no size of '%s'",
                                       entry->key);
        }
        if (!entry->is_open && is_called(token, "IsTruncated"))
                *is_truncated =
                        token->text_size == strlen("true") && memcmp(token->text, "true", 4) == 0;
        if (!entry->is_open && is_called(token, "NextContinuationToken") && !page->next) {
                page->next = calloc(TOKEN_MAX + 1, 1);
                if (!page->next)
                        return su_fail_oom(err);
                if (!decode(token->text, token->text_size, page->next, TOKEN_MAX))
                        return su_fail(err, SU_ERROR_FORMAT, "the list goes on too far away");
        }
        return 0;
}

static int read_page(struct scanner *scanner, struct su_s3_page *page, bool *is_truncated,
                     struct su_error *err)
{
        struct entry entry = {0};
        struct token token;
        bool is_list = false;
        int r = 0;

        while (r >= 0 && next(scanner, &token)) {
                is_list = is_list || is_called(&token, "ListBucketResult");
                if (!is_list)
                        continue;
                if (token.is_end)
                        r = read_end(&token, &entry, page, is_truncated, err);
                else if (is_called(&token, "Contents"))
                        entry = (struct entry){.is_open = true};
        }
        if (r >= 0 && (scanner->is_bad || !is_list))
                return su_fail(err, SU_ERROR_FORMAT, "the server sent no list of objects");
        return r;
}

int su_s3_page_parse(const char *text, size_t size, struct su_s3_page *ret, struct su_error *err)
{
        su_auto_s3_page struct su_s3_page page = {0};
        struct scanner scanner = {.at = text, .end = text + size};
        bool is_truncated = false;
        int r;

        r = read_page(&scanner, &page, &is_truncated, err);
        if (r < 0)
                return r;
        if (!is_truncated)
                su_free_p(&page.next);
        else if (!page.next || !page.next[0])
                return su_fail(err, SU_ERROR_FORMAT,
                               "the server has more objects, but does not say where");
        *ret = page;
        page = (struct su_s3_page){0};
        return 0;
}

void su_s3_refusal_parse(const char *text, size_t size, struct su_s3_refusal *ret)
{
        struct scanner scanner = {.at = text, .end = text + size};
        struct token token;

        *ret = (struct su_s3_refusal){0};
        while (next(&scanner, &token)) {
                if (token.is_end && is_called(&token, "Code"))
                        (void)decode(token.text, token.text_size, ret->code, sizeof ret->code - 1);
                if (token.is_end && is_called(&token, "Message"))
                        (void)decode(token.text, token.text_size, ret->message,
                                     sizeof ret->message - 1);
        }
}
