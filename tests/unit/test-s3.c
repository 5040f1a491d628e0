#include "support.h"

#include <string.h>

#include "publish/upload/answer.h"
#include "publish/upload/place.h"
#include "publish/upload/survey.h"

#define HEAD                                                                                       \
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                             \
        "<ListBucketResult xmlns=\"http://s3.example/doc/\"><Name>b</Name><Prefix>p/</Prefix>"
#define OBJECT(key, size)                                                                          \
        "<Contents><Key>" key "</Key><LastModified>2030-01-01T00:00:00.000Z</LastModified>"        \
        "<ETag>&quot;abc&quot;</ETag><Size>" size "</Size><Owner><ID>1</ID></Owner></Contents>"
#define TAIL "</ListBucketResult>"

static int parse(const char *text, struct su_s3_page *ret, struct su_error *err)
{
        return su_s3_page_parse(text, strlen(text), ret, err);
}

static void test_page(void **state)
{
        su_auto_s3_page struct su_s3_page page = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(parse(HEAD "<IsTruncated>true</IsTruncated>" OBJECT("p/a&amp;b", "5")
                                OBJECT("p/&#65;&#x42;\xc3\xa4&#xe4;",
                                       "18446744073709551") "<NextContinuationToken>a+b/c=&lt;</"
                                                            "NextContinuationToken>" TAIL,
                        &page, &err),
                  err);
        assert_int_equal(page.n, 2);
        assert_string_equal(page.objects[0].key, "p/a&b");
        assert_int_equal(page.objects[0].size, 5);
        assert_string_equal(page.objects[1].key, "p/AB???");
        assert_string_equal(page.next, "a+b/c=<");
}

static void test_last_page(void **state)
{
        su_auto_s3_page struct su_s3_page page = {0};
        su_auto_s3_page struct su_s3_page empty = {0};
        struct su_error err = {0};

        (void)state;
        assert_ok(parse(HEAD OBJECT("x", "0") "<IsTruncated>false</IsTruncated>" TAIL, &page, &err),
                  err);
        assert_null(page.next);
        assert_int_equal(page.n, 1);
        assert_ok(parse("<ListBucketResult/>", &empty, &err), err);
        assert_int_equal(empty.n, 0);
}

static void refuse(const char *text)
{
        su_auto_s3_page struct su_s3_page page = {0};
        struct su_error err = {0};

        assert_true(parse(text, &page, &err) < 0);
        assert_int_equal(err.code, SU_ERROR_FORMAT);
}

static void test_bad_pages(void **state)
{
        char long_key[SU_S3_KEY_MAX + 200];

        (void)state;
        refuse("");
        refuse("<html>hello</html>");
        refuse("<ListBucketResult");
        refuse(HEAD "<!-- <Contents> -->" TAIL);
        refuse(HEAD "<Contents><Size>5</Size></Contents>" TAIL);
        refuse(HEAD "<Contents><Key>a</Key></Contents>" TAIL);
        refuse(HEAD OBJECT("a", "") TAIL);
        refuse(HEAD OBJECT("a", "-1") TAIL);
        refuse(HEAD OBJECT("a", "99999999999999999999999") TAIL);
        refuse(HEAD "<IsTruncated>true</IsTruncated>" TAIL); /* and where does it go on? */
        (void)snprintf(long_key, sizeof long_key, HEAD "<Contents><Key>%0*d", SU_S3_KEY_MAX + 1, 0);
        (void)strcat(long_key, "</Key>");
        refuse(long_key);
}

static void test_refusal(void **state)
{
        static const char text[] = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code>"
                                   "<Message>Please &lt;reduce&gt;\n\033[31m it</Message></Error>";
        char large[4096] = "<Message>";
        struct su_s3_refusal refusal;

        (void)state;
        su_s3_refusal_parse(text, strlen(text), &refusal);
        assert_string_equal(refusal.code, "SlowDown");
        assert_string_equal(refusal.message, "Please <reduce>??[31m it");
        su_s3_refusal_parse("not found", 9, &refusal);
        assert_string_equal(refusal.code, "");
        (void)memset(large + 9, 'x', 2000);
        (void)strcpy(large + 2009, "</Message>");
        su_s3_refusal_parse(large, strlen(large), &refusal);
        assert_int_equal(strlen(refusal.message), SU_S3_REFUSAL_MAX - 1);
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void test_kinds(void **state)
{
        static const struct {
                const char *path;
                enum su_kind kind;
        } cases[] = {
                {"objects/00/" HEX, SU_KIND_OBJECT},
                {"objects/01/" HEX, SU_KIND_NONE},
                {"objects/00/partial", SU_KIND_NONE},
                {"objects/" HEX, SU_KIND_NONE},
                {"targets/a/" HEX ".channel.json", SU_KIND_TARGET},
                {"targets/a~b+c/b/" HEX ".manifest.json", SU_KIND_TARGET},
                {"targets/a/.x.json", SU_KIND_NONE},
                {"targets/../x.json", SU_KIND_NONE},
                {"targets//x.json", SU_KIND_NONE},
                {"targets/a b.json", SU_KIND_NONE},
                {"targets/x.json.tmp", SU_KIND_NONE},
                {"metadata/1.root.json", SU_KIND_ROOT},
                {"metadata/12.debian-12.json", SU_KIND_METADATA},
                {"metadata/2.snapshot.json", SU_KIND_METADATA},
                {"metadata/timestamp.json", SU_KIND_TIMESTAMP},
                {"metadata/root.json", SU_KIND_NONE},
                {"metadata/01.root.json", SU_KIND_NONE},
                {"metadata/a/1.root.json", SU_KIND_NONE},
                {"log/checkpoint", SU_KIND_CHECKPOINT},
                {"log/tile/0/x001/067.p/3", SU_KIND_TILE},
                {"log/other", SU_KIND_NONE},
                {"advisories/index.html", SU_KIND_PAGE},
                {"index.html", SU_KIND_NONE},
                {"", SU_KIND_NONE},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                if (su_kind_of(cases[i].path) != cases[i].kind)
                        fail_msg("'%s' is of kind %d", cases[i].path, su_kind_of(cases[i].path));
        assert_int_equal(su_kind_root_version("metadata/12.root.json"), 12);
        assert_int_equal(su_kind_root_version("metadata/12.targets.json"), 0);
        assert_true(su_kind_is_immutable(SU_KIND_ROOT) && !su_kind_is_immutable(SU_KIND_PAGE));
        assert_string_equal(su_kind_content_type("advisories/a.html"), "text/html; charset=utf-8");
        assert_string_equal(su_kind_content_type("log/tile/0/000"), "application/octet-stream");
}

static void test_place(void **state)
{
        su_auto_s3_place struct su_s3_place place = {0};
        struct su_error err = {0};

        (void)state;
        assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "id", 1), 0);
        assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "secret", 1), 0);
        assert_int_equal(unsetenv("AWS_SESSION_TOKEN"), 0);
        assert_int_equal(unsetenv("AWS_REGION"), 0);
        assert_int_equal(unsetenv("AWS_ENDPOINT_URL"), 0);
        assert_ok(su_s3_place_find("s3://bucket/a/b", "https://s.example//", NULL, &place, &err),
                  err);
        assert_string_equal(place.bucket, "bucket");
        assert_string_equal(place.prefix, "a/b/");
        assert_string_equal(place.url, "https://s.example/bucket");
        assert_string_equal(place.region, "us-east-1");
        assert_null(place.token);
        su_s3_place_done(&place);
        assert_ok(su_s3_place_find("s3://bucket", "http://s:9", "r", &place, &err), err);
        assert_string_equal(place.prefix, "");
        su_s3_place_done(&place);
        assert_true(su_s3_place_find("s3://bucket", NULL, NULL, &place, &err) < 0);
        assert_int_equal(err.code, SU_ERROR_CONFIG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_page),      cmocka_unit_test(test_last_page),
                cmocka_unit_test(test_bad_pages), cmocka_unit_test(test_refusal),
                cmocka_unit_test(test_kinds),     cmocka_unit_test(test_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
