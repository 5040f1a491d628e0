#include "support.h"

#include <string.h>

#include "base/text.h"
#include "log-keys.h"
#include "random.h"
#include "transparency/policy.h"

/* "$L1" is the key of the first log, "$W1" that of the first witness, and so on: both from the same
 * secret. The caller frees. */
static char *with_keys(const char *text)
{
        char *result = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&result, &size);

        assert_non_null(f);
        while (*text) {
                if (*text == '$') {
                        char name[8] = {text[1], text[2]};
                        auto_signer struct signer signer;

                        signer_open(&signer, name,
                                    text[1] == 'L' ? SU_NOTE_ED25519 : SU_NOTE_COSIGNATURE,
                                    (uint8_t)text[2]);
                        (void)fputs(signer.vkey, f);
                        text += 3;
                } else {
                        (void)fputc(*text++, f);
                }
        }
        (void)fclose(f);
        return result;
}

static struct su_policy *policy_of(const char *text)
{
        su_auto_free char *whole = with_keys(text);
        struct su_policy *policy = NULL;
        struct su_error err = {0};

        assert_ok(su_policy_parse("the.policy", whole, strlen(whole), &policy, &err), err);
        return policy;
}

static void check_refused(const char *text, const char *part, int line)
{
        su_auto_free char *whole = with_keys(text);
        struct su_policy *policy = NULL;
        struct su_error err = {0};

        check_fails(su_policy_parse("the.policy", whole, strlen(whole), &policy, &err), &err,
                    SU_ERROR_CONFIG, text, __FILE__, line);
        check_contains(err.message, "the.policy:", __FILE__, line);
        check_contains(err.message, part, __FILE__, line);
        assert_null(policy);
}
#define assert_refused(text, part) check_refused((text), (part), __LINE__)

/* The specification's example, with keys. */
#define EXAMPLE                                                                                    \
        "log $L1\n"                                                                                \
        "\n"                                                                                       \
        "witness X1 $W1\n"                                                                         \
        "witness X2 $W2\n"                                                                         \
        "witness X3 $W3\n"                                                                         \
        "group X-witnesses 2 X1 X2 X3\n"                                                           \
        "\n"                                                                                       \
        "witness Y1 $W4\n"                                                                         \
        "witness Y2 $W5\n"                                                                         \
        "witness Y3 $W6\n"                                                                         \
        "group Y-witnesses any Y1 Y2 Y3\n"                                                         \
        "\n"                                                                                       \
        "group X-and-Y all X-witnesses Y-witnesses\n"                                              \
        "quorum X-and-Y\n"

static void test_example(void **state)
{
        su_auto_policy struct su_policy *policy = policy_of(EXAMPLE);

        (void)state;
        assert_int_equal(su_policy_n_logs(policy), 1);
        assert_int_equal(su_policy_n_witnesses(policy), 6);
        assert_string_equal(su_policy_log(policy, 0)->key->name, "L1");
        assert_null(su_policy_log(policy, 0)->url);
        assert_string_equal(su_policy_witness(policy, 3)->name, "Y1");
        assert_string_equal(su_policy_witness(policy, 3)->key->name, "W4");
        assert_string_equal(su_policy_quorum_name(policy), "X-and-Y");
        for (unsigned set = 0; set < 64; set++) {
                struct su_policy_vote votes[6] = {0};
                unsigned x = set & 7;
                unsigned y = set >> 3;

                for (unsigned i = 0; i < 6; i++)
                        votes[i].cosigned = set >> i & 1;
                assert_int_equal(su_policy_is_quorum(policy, votes),
                                 __builtin_popcount(x) >= 2 && y != 0);
        }
}

static void test_forms(void **state)
{
        su_auto_policy struct su_policy *policy =
                policy_of("# a policy\n"
                          "\t # indented, quorum none\n"
                          " \t \n"
                          "\tlog \t $L1  https://log.example/ \t\n"
                          "log $L2\n"
                          "witness log $W1 https://w.example/\n"
                          "witness \xe2\x84\xaa\xff $W2 #1\n"
                          "group all all log\n"
                          "quorum all\n"
                          "# \xff \x7e\n");

        (void)state;
        assert_int_equal(su_policy_n_logs(policy), 2);
        assert_string_equal(su_policy_log(policy, 0)->url, "https://log.example/");
        assert_string_equal(su_policy_witness(policy, 0)->url, "https://w.example/");
        assert_string_equal(su_policy_witness(policy, 1)->name, "\xe2\x84\xaa\xff");
        assert_string_equal(su_policy_witness(policy, 1)->url, "#1");
        assert_string_equal(su_policy_quorum_name(policy), "all");
}

static void test_quorum_none(void **state)
{
        su_auto_policy struct su_policy *policy = policy_of("witness a $W1\nquorum none\n");
        su_auto_policy struct su_policy *one = policy_of("witness a $W1\nquorum a\nlog $L1\n");
        struct su_policy_vote vote = {.cosigned = false};
        int64_t time = 77;

        (void)state;
        assert_true(su_policy_is_quorum(policy, &vote));
        assert_false(su_policy_is_quorum(one, &vote));
        assert_false(su_policy_quorum_time(one, &vote, &time));
        vote = (struct su_policy_vote){.cosigned = true, .time = 5};
        assert_false(su_policy_quorum_time(policy, &vote, &time));
        assert_int_equal(time, 77);
        assert_true(su_policy_is_quorum(one, &vote));
        assert_true(su_policy_quorum_time(one, &vote, &time));
        assert_int_equal(time, 5);
}

static void test_malformed(void **state)
{
        (void)state;
        assert_refused("", "there is no quorum");
        assert_refused("log $L1\n", "there is no quorum");
        assert_refused("quorum none", ":1: the line does not end");
        assert_refused("quorum none\n#", ":2: the line does not end");
        assert_refused("quorum none\nquorum none\n", ":2: there is a quorum already");
        assert_refused("witness a $W1\nquorum a\nquorum none\n", ":3: there is a quorum already");
        assert_refused("quorum\n", ":1: the quorum is given as");
        assert_refused("quorum a\n", ":1: 'a' is not defined");
        assert_refused("quorum none none\n", ":1: the quorum is given as");
        assert_refused("quorum a\nwitness a $W1\n", ":1: 'a' is not defined");
        assert_refused("QUORUM none\n", ":1: 'QUORUM' is neither");
        assert_refused("quorum none\r\n", ":1: there is a control character");
        assert_refused("# \x7f\nquorum none\n", ":1: there is a control character");
        assert_refused("quorum none # why\n", ":1: the quorum is given as");
        assert_refused("quorum\xc2\xa0none\n", ":1: 'quorum");
        assert_refused("log\nquorum none\n", ":1: a log is given as");
        assert_refused("log $L1 a b\nquorum none\n", ":1: a log is given as");
        assert_refused("log L1\nquorum none\n", ":1: a verifier key is");
        assert_refused("log $W1\nquorum none\n", ":1: the key of 'W1' is of type 0x04");
        assert_refused("log PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n"
                       "quorum none\n",
                       ":1: the key of 'PeterNeumann': signatures of type 0x65 are not supported");
        assert_refused("witness a\nquorum none\n", ":1: a witness is given as");
        assert_refused("witness a $W1 b c\nquorum none\n", ":1: a witness is given as");
        assert_refused("witness a $L1\nquorum none\n", ":1: the key of 'L1' is of type 0x01");
        assert_refused("witness none $W1\nquorum none\n", ":1: the name 'none'");
}

static void test_names_and_duplicates(void **state)
{
        (void)state;
        assert_refused("log $L1\nlog $L1\nquorum none\n", ":2: the log 'L1' has the key");
        assert_refused("witness a $W1\nwitness b $W1\nquorum none\n",
                       ":2: the witness has the key");
        assert_refused("witness a $W1\nwitness a $W2\nquorum none\n",
                       ":2: the name 'a' is defined");
        assert_refused("witness a $W1\ngroup a any a\nquorum none\n",
                       ":2: the name 'a' is defined");
        assert_refused("witness a $W1\ngroup g any a\nwitness g $W2\nquorum none\n",
                       ":3: the name 'g' is defined");
        assert_refused("witness a $W1\ngroup none any a\nquorum none\n", ":2: the name 'none'");
        assert_refused("witness a $W1\ngroup g any none\nquorum none\n", ":2: 'none' is not");
        assert_refused("witness a $W1\ngroup g any b\nwitness b $W2\nquorum none\n",
                       ":2: 'b' is not defined before");
        assert_refused("witness a $W1\ngroup g any g\nquorum none\n", ":2: 'g' is not defined");
        assert_refused("witness a $W1\ngroup g any a a\nquorum none\n", ":2: 'a' is a member");
        assert_refused("witness a $W1\ngroup g any a\ngroup h any a\nquorum none\n",
                       ":3: 'a' is a member");
        assert_refused("witness a $W1\ngroup g any a\ngroup h any g\ngroup i any g\nquorum none\n",
                       ":4: 'g' is a member");
        assert_refused("group g any L1\nlog $L1\nquorum none\n", ":1: 'L1' is not defined");
}

/* Other names and ids do not make another key of the same one. */
static void test_same_key_other_name(void **state)
{
        auto_signer struct signer one;
        auto_signer struct signer other;
        su_auto_free char *text = NULL;
        struct su_policy *policy = NULL;
        struct su_error err = {0};

        (void)state;
        signer_open(&one, "one", SU_NOTE_COSIGNATURE, 9);
        signer_open(&other, "other", SU_NOTE_COSIGNATURE, 9);
        assert_ok(su_format(&text, &err, "witness a %s\nwitness b %s\nquorum none\n", one.vkey,
                            other.vkey),
                  err);
        assert_fails_with(su_policy_parse("p", text, strlen(text), &policy, &err), err, CONFIG,
                          "p:2: ");
}

static void test_thresholds(void **state)
{
#define TWO "witness a $W1\nwitness b $W2\n"
        (void)state;
        assert_refused(TWO "group g\nquorum none\n", ":3: a group is given as");
        assert_refused(TWO "group g any\nquorum none\n", ":3: a group is given as");
        assert_refused(TWO "group g 0 a b\nquorum none\n", ":3: '0' is neither");
        assert_refused(TWO "group g 3 a b\nquorum none\n", ":3: '3' is neither");
        assert_refused(TWO "group g 01 a b\nquorum none\n", ":3: '01' is neither");
        assert_refused(TWO "group g +1 a b\nquorum none\n", ":3: '+1' is neither");
        assert_refused(TWO "group g -1 a b\nquorum none\n", ":3: '-1' is neither");
        assert_refused(TWO "group g 18446744073709551617 a b\nquorum none\n", ":3: '1844");
        assert_refused(TWO "group g ALL a b\nquorum none\n", ":3: 'ALL' is neither");
        for (unsigned k = 1; k <= 2; k++) {
                su_auto_policy struct su_policy *policy = policy_of(
                        k == 1 ? TWO "group g 1 a b\nquorum g\n" : TWO "group g 2 a b\nquorum g\n");
                struct su_policy_vote votes[2] = {{.cosigned = true}};

                assert_int_equal(su_policy_is_quorum(policy, votes), k == 1);
                votes[1].cosigned = true;
                assert_true(su_policy_is_quorum(policy, votes));
        }
}

/* `n` of each, in one group; the caller frees. */
static char *policy_with(size_t n_logs, size_t n_witnesses, size_t n_groups)
{
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < n_logs + n_witnesses; i++) {
                auto_signer struct signer signer;

                signer_open(&signer, "k", i < n_logs ? SU_NOTE_ED25519 : SU_NOTE_COSIGNATURE,
                            (uint8_t)(i < n_logs ? i : i - n_logs));
                if (i < n_logs)
                        (void)fprintf(f, "log %s\n", signer.vkey);
                else
                        (void)fprintf(f, "witness w%zu %s\n", i - n_logs, signer.vkey);
        }
        for (size_t i = 0; i + 1 < n_groups; i++)
                (void)fprintf(f, "group g%zu all w%zu\n", i, i);
        (void)fprintf(f, "group g all");
        for (size_t i = 0; i < n_witnesses; i++)
                (void)fprintf(f, " %c%zu", i + 1 < n_groups ? 'g' : 'w', i);
        (void)fprintf(f, "\nquorum g\n");
        (void)fclose(f);
        return text;
}

static void test_limits(void **state)
{
        static const size_t cases[][3] = {{65, 64, 64}, {64, 65, 64}, {64, 64, 65}};
        su_auto_free char *largest = policy_with(64, 64, 64);
        su_auto_policy struct su_policy *policy = NULL;
        struct su_policy_vote votes[64];
        struct su_error err = {0};
        su_auto_free char *big = calloc(1, SU_POLICY_SIZE_MAX + 1);
        struct su_policy *none = NULL;

        (void)state;
        assert_ok(su_policy_parse("p", largest, strlen(largest), &policy, &err), err);
        for (size_t i = 0; i < 64; i++)
                votes[i] = (struct su_policy_vote){.cosigned = true};
        assert_true(su_policy_is_quorum(policy, votes));
        for (size_t i = 0; i < 64; i++) {
                votes[i].cosigned = false;
                assert_false(su_policy_is_quorum(policy, votes));
                votes[i].cosigned = true;
        }
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *text = policy_with(cases[i][0], cases[i][1], cases[i][2]);

                assert_fails(su_policy_parse("p", text, strlen(text), &none, &err), err, TOO_LARGE);
        }
        assert_non_null(big);
        assert_fails(su_policy_parse("p", big, SU_POLICY_SIZE_MAX + 1, &none, &err), err,
                     TOO_LARGE);
        memset(big, 'a', SU_POLICY_SIZE_MAX);
        for (size_t i = 0; i < SU_POLICY_SIZE_MAX; i += 2)
                big[i] = ' ';
        big[SU_POLICY_SIZE_MAX - 1] = '\n';
        assert_fails(su_policy_parse("p", big, SU_POLICY_SIZE_MAX, &none, &err), err, CONFIG);
}

/* The quorum's time, against trying all of them. */
static void test_quorum_time(void **state)
{
        su_auto_policy struct su_policy *policy = policy_of(EXAMPLE);
        uint64_t random = 11;

        (void)state;
        for (unsigned k = 0; k < 5000; k++) {
                struct su_policy_vote votes[6];
                int64_t time = -1;
                int64_t wanted = -1;

                for (unsigned i = 0; i < 6; i++)
                        votes[i] =
                                (struct su_policy_vote){.cosigned = random_below(&random, 3) > 0,
                                                        .time = (int64_t)random_below(&random, 10)};
                for (int64_t since = 0; since < 10; since++) {
                        struct su_policy_vote later[6];

                        memcpy(later, votes, sizeof later);
                        for (unsigned i = 0; i < 6; i++)
                                later[i].cosigned &= later[i].time >= since;
                        if (su_policy_is_quorum(policy, later))
                                wanted = since;
                }
                assert_int_equal(su_policy_quorum_time(policy, votes, &time),
                                 su_policy_is_quorum(policy, votes));
                assert_int_equal(time, wanted);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_example),
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_quorum_none),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_names_and_duplicates),
                cmocka_unit_test(test_same_key_other_name),
                cmocka_unit_test(test_thresholds),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_quorum_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
