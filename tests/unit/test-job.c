#include "support.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/draft/job.h"
#include "publish/draft/results.h"

static int make(struct su_job *ret)
{
        *ret = (struct su_job){
                .sources = calloc(2, sizeof *ret->sources),
                .n_sources = 2,
                .target = {.size = 8192},
                .is_trial = true,
        };
        assert_non_null(ret->sources);
        assert_true(su_strdup("/tree", &ret->tree, NULL) >= 0);
        assert_true(su_strdup("/ws/image", &ret->image, NULL) >= 0);
        assert_true(su_strdup("/ws/public/objects/ab/cd", &ret->packed, NULL) >= 0);
        assert_true(su_strdup("/usr/lib/a.so", &ret->sources[1].path, NULL) >= 0);
        ret->sources[0].image.size = 4096;
        ret->sources[0].image.seal.bytes[0] = 7;
        ret->sources[0].sha256.bytes[0] = 1;
        ret->sources[1].size = 5;
        ret->sources[1].sha256.bytes[0] = 2;
        ret->target.seal.bytes[0] = 3;
        ret->target_sha256.bytes[0] = 4;
        return su_job_find_key(ret, &ret->key, NULL);
}

static struct su_sha256 key_of(const struct su_job *job)
{
        struct su_sha256 key;

        assert_true(su_job_find_key(job, &key, NULL) >= 0);
        return key;
}

/* Everything that the delta's bytes depend on changes it, and nothing else does. */
static void test_key(void **state)
{
        su_auto_job struct su_job job = {0};
        struct su_delta_source_ref first;
        struct su_sha256 key;

        (void)state;
        assert_true(make(&job) >= 0);
        key = job.key;
        free(job.tree);
        free(job.sources[1].path);
        assert_true(su_strdup("/elsewhere", &job.tree, NULL) >= 0);
        assert_true(su_strdup("/usr/lib/b.so", &job.sources[1].path, NULL) >= 0);
        job.is_trial = false;
        job.sources[0].image.seal.bytes[0] = 9;
        key = key_of(&job);
        assert_true(su_sha256_equal(&key, &job.key));

        job.fast = true;
        key = key_of(&job);
        assert_false(su_sha256_equal(&key, &job.key));
        job.fast = false;
        job.sources[1].size++;
        key = key_of(&job);
        assert_false(su_sha256_equal(&key, &job.key));
        job.sources[1].size--;
        job.target_sha256.bytes[31] ^= 1;
        key = key_of(&job);
        assert_false(su_sha256_equal(&key, &job.key));
        job.target_sha256.bytes[31] ^= 1;
        job.sources[0].sha256.bytes[31] ^= 1;
        key = key_of(&job);
        assert_false(su_sha256_equal(&key, &job.key));
        job.sources[0].sha256.bytes[31] ^= 1;
        first = job.sources[0];
        job.sources[0] = job.sources[1];
        job.sources[1] = first;
        key = key_of(&job);
        assert_false(su_sha256_equal(&key, &job.key));
        job.n_sources = 1;
        key = key_of(&job);
        assert_false(su_sha256_equal(&key, &job.key));
        job.n_sources = 2;
}

/* Stores are shared between versions of the program: this is what a key is. */
static void test_key_is_settled(void **state)
{
        su_auto_job struct su_job job = {0};
        char hex[SU_SHA256_HEX_SIZE];

        (void)state;
        assert_true(make(&job) >= 0);
        su_hex_encode(job.key.bytes, sizeof job.key.bytes, hex);
        assert_string_equal(hex,
                            "1faeadd669b892d64e24d55c0a1831c9dbaee02ac7cab844395a680688b83708");
}

static char *text_of(const struct su_job *job)
{
        su_auto_json json_t *document = su_job_to_json(job);
        char *text;
        size_t size;

        assert_non_null(document);
        assert_true(su_json_pretty(document, &text, &size, NULL) >= 0);
        return text;
}

static void test_document(void **state)
{
        su_auto_job struct su_job job = {0};
        su_auto_job struct su_job read = {0};
        su_auto_free char *text = NULL;
        su_auto_free char *again = NULL;
        struct su_error err = {0};

        (void)state;
        assert_true(make(&job) >= 0);
        text = text_of(&job);
        assert_ok(su_job_parse(text, strlen(text), &read, &err), err);
        again = text_of(&read);
        assert_string_equal(text, again);
        assert_true(read.is_trial && !read.fast);
        assert_string_equal(read.sources[1].path, "/usr/lib/a.so");
        assert_int_equal(read.sources[0].image.size, 4096);
}

/* With `old` replaced by `new` the document is refused. */
static void refuse(const char *old, const char *new)
{
        su_auto_job struct su_job job = {0};
        su_auto_job struct su_job read = {0};
        su_auto_free char *text = NULL;
        su_auto_free char *changed = NULL;
        char *at;
        struct su_error err = {0};

        assert_true(make(&job) >= 0);
        text = text_of(&job);
        at = strstr(text, old);
        assert_non_null(at);
        assert_true(su_format(&changed, NULL, "%.*s%s%s", (int)(at - text), text, new,
                              at + strlen(old)) >= 0);
        assert_true(su_job_parse(changed, strlen(changed), &read, &err) < 0);
        assert_true(err.code == SU_ERROR_FORMAT || err.code == SU_ERROR_UNSUPPORTED);
}

static void test_bad_documents(void **state)
{
        (void)state;
        refuse("suture-delta-job", "suture-delta");
        refuse("\"version\": 1", "\"version\": 2");
        refuse("\"/tree\"", "\"tree\"");
        refuse("\"/tree\"", "\"/tree/../..\"");
        refuse("\"/usr/lib/a.so\"", "\"/usr/lib/../../etc/shadow\"");
        refuse("\"fast\": false", "\"fast\": true"); /* the key is another one then */
        refuse("\"size\": 5", "\"size\": -5");
        refuse("\"size\": 8192", "\"size\": 8193");
        refuse("\"packed\": \"/ws/public/objects/ab/cd\"", "\"packed\": null");
        refuse("\"sources\"", "\"source\"");
}

/* A store says nothing of a job that was not done, and is not believed. */
static void test_results(void **state)
{
        su_auto_job struct su_job job = {0};
        su_auto_close int fd = -EBADF;
        char name[SU_SHA256_HEX_SIZE + 5];
        char directory[] = "/tmp/test-job.XXXXXX";
        const char *record = "{\"type\": \"suture-delta-result\", \"version\": 1, \"object\": "
                             "{\"size\": 4, \"sha256\": "
                             "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}"
                             "}";
        struct su_result result;
        struct su_error err = {0};

        (void)state;
        assert_true(make(&job) >= 0);
        assert_non_null(mkdtemp(directory));
        assert_ok(su_results_open("/nowhere", directory, &fd, &err), err);
        assert_int_equal(su_results_find(fd, &job, &result, &err), -ENOENT);
        assert_int_equal(err.code, SU_OK);

        su_hex_encode(job.key.bytes, sizeof job.key.bytes, name);
        (void)strcat(name, ".json");
        assert_ok(su_file_write(fd, name, record, strlen(record), 0644, &err), err);
        assert_true(su_results_find(fd, &job, &result, &err) < 0);
        assert_int_equal(err.code, SU_ERROR_DIGEST);
        assert_non_null(strstr(err.message, "it is gone"));

        /* "test" has that digest, and is no delta. */
        assert_ok(su_file_write(fd,
                                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                                "test", 4, 0644, &err),
                  err);
        assert_true(su_results_find(fd, &job, &result, &err) < 0);
        assert_int_equal(err.code, SU_ERROR_DELTA);
        assert_ok(su_file_write(fd,
                                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                                "tes!", 4, 0644, &err),
                  err);
        assert_true(su_results_find(fd, &job, &result, &err) < 0);
        assert_int_equal(err.code, SU_ERROR_DIGEST);

        assert_ok(su_file_write(fd, name, "{}", 2, 0644, &err), err);
        assert_true(su_results_find(fd, &job, &result, &err) < 0);
        assert_int_equal(err.code, SU_ERROR_DIGEST);

        /* There was too much to make it from. */
        assert_ok(su_results_put(fd, &job, NULL, -EBADF, &err), err);
        assert_ok(su_results_find(fd, &job, &result, &err), err);
        assert_true(result.is_none);
        assert_ok(su_remove_tree(AT_FDCWD, directory, &err), err);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_key),      cmocka_unit_test(test_key_is_settled),
                cmocka_unit_test(test_document), cmocka_unit_test(test_bad_documents),
                cmocka_unit_test(test_results),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
