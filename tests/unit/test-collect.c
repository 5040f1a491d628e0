#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "device/collect.h"
#include "device/generation.h"
#include "device/store.h"

#define HERE "os-1.2-x86-64"
#define ELSEWHERE "os-1-x86-64"
/* Two digits, 32 times. */
#define DIGEST(d) d d d d d d d d d d d d d d d d d d d d d d d d d d d d d d d d
#define IMAGE(d) "images/" DIGEST(d) ".erofs"
#define DOWNLOAD(d) "downloads/" DIGEST(d)

/* A level with one image, of the digest `number` all over, and the delta of 16 more. */
static void add_manifest(int fd, const char *baseline, const char *name, uint8_t number)
{
        struct su_delta_ref delta = {.object.size = 1};
        struct su_component component = {
                .name = (char *)"fix",
                .new_version = (char *)"2",
                .image.size = 1,
                .deltas = &delta,
                .n_deltas = 1,
        };
        struct su_manifest manifest = {
                .baseline = (char *)baseline,
                .architecture = (char *)"x86-64",
                .created = 1780272000,
                .components = &component,
                .n_components = 1,
        };
        su_auto_free char *text = NULL;
        struct su_error err = {0};
        size_t size;

        assert_true(su_level_parse(name, &manifest.level));
        memset(component.image.seal.bytes, number, SU_SHA256_SIZE);
        memset(delta.object.sha256.bytes, number + 16, SU_SHA256_SIZE);
        assert_ok(su_manifest_write(&manifest, &text, &size, &err), err);
        assert_ok(su_store_save_manifest(fd, baseline, &manifest.level, text, size, &err), err);
        assert_ok(su_store_save_proof(fd, baseline, &manifest.level, "proof", &err), err);
}

static void add_generation(int fd, int64_t number, const char *baseline, const char *level)
{
        struct su_manifest manifest = {.baseline = (char *)baseline};
        struct su_error err = {0};

        assert_true(su_level_parse(level, &manifest.level));
        assert_ok(su_generation_save(fd, number, &manifest, &err), err);
}

/* Levels a to d, with images 01 to 04 and downloads 11 to 14, and generations 1 to 4 of them. The
 * images a0 and the download b0 are no level's. */
static void fill(int fd)
{
        static const char *const files[] = {
                IMAGE("01"),    IMAGE("02"),    IMAGE("03"),    IMAGE("04"),    IMAGE("a0"),
                DOWNLOAD("11"), DOWNLOAD("12"), DOWNLOAD("13"), DOWNLOAD("14"), DOWNLOAD("b0"),
        };
        static const char *const levels[] = {"a", "b", "c", "d"};

        for (size_t i = 0; i < SU_ELEMENTS(levels); i++) {
                add_manifest(fd, HERE, levels[i], (uint8_t)(i + 1));
                add_generation(fd, (int64_t)i + 1, HERE, levels[i]);
        }
        for (size_t i = 0; i < SU_ELEMENTS(files); i++)
                write_text(fd, files[i], "data");
}

static bool has(int fd, const char *name)
{
        struct stat st;

        return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void check_names(int fd, const char *const *names, bool wanted)
{
        for (; *names; names++)
                if (has(fd, *names) != wanted) {
                        print_error("'%s' is %s\n", *names, wanted ? "gone" : "still there");
                        fail();
                }
}

#define assert_kept(fd, ...) check_names(fd, (const char *const[]){__VA_ARGS__, NULL}, true)
#define assert_gone(fd, ...) check_names(fd, (const char *const[]){__VA_ARGS__, NULL}, false)

static struct su_collected collect(int fd, const struct su_state *state, int64_t mounted)
{
        struct su_collected collected;
        struct su_error err = {0};

        assert_ok(su_collect_garbage(fd, state, mounted, HERE, &collected, &err), err);
        return collected;
}

static struct su_error collect_badly(int fd, const struct su_state *state, int64_t mounted)
{
        struct su_collected collected;
        struct su_error err = {0};

        assert_true(su_collect_garbage(fd, state, mounted, HERE, &collected, &err) < 0);
        return err;
}

static const struct su_state nothing = {.transition = SU_GENERATION_NONE};

static void test_an_empty_store(void **state)
{
        struct scratch *scratch = *state;
        struct su_collected collected = collect(scratch->fd, &nothing, 0);

        assert_int_equal(collected.files, 0);
        assert_int_equal(collected.bytes, 0);
}

static void test_only_the_newest_level_is_needed(void **state)
{
        struct scratch *scratch = *state;
        struct su_collected collected;

        fill(scratch->fd);
        collected = collect(scratch->fd, &nothing, 0);
        assert_kept(scratch->fd, IMAGE("04"), DOWNLOAD("14"));
        assert_gone(scratch->fd, IMAGE("01"), IMAGE("02"), IMAGE("03"), IMAGE("a0"));
        assert_gone(scratch->fd, DOWNLOAD("11"), DOWNLOAD("13"), DOWNLOAD("b0"));
        assert_gone(scratch->fd, "generations/1.json", "generations/4.json");
        /* What runs may be of any level. */
        assert_kept(scratch->fd, "manifests/" HERE ".a.json", "manifests/" HERE ".d.json");
        assert_kept(scratch->fd, "proofs/" HERE ".a.tlog-proof");
        assert_int_equal(collected.files, 4 + 4 + 4);
        assert_in_range(collected.bytes, 12 * 512, 12 * 65536);
        assert_int_equal(collect(scratch->fd, &nothing, 0).files, 0);
}

static void assert_generation_keeps(int fd, const struct su_state *state, int64_t mounted)
{
        fill(fd);
        (void)collect(fd, state, mounted);
        assert_kept(fd, "generations/2.json", IMAGE("02"), IMAGE("04"));
        assert_gone(fd, "generations/1.json", "generations/3.json", IMAGE("01"), IMAGE("03"));
        /* It is made from no download any more. */
        assert_gone(fd, DOWNLOAD("12"));
}

static void test_generations_that_are_needed(void **state)
{
        struct scratch *scratch = *state;
        struct su_state active = nothing;
        struct su_state previous = nothing;
        struct su_state transition = nothing;

        active.active = previous.previous = transition.transition = 2;
        assert_generation_keeps(scratch->fd, &nothing, 2);
        assert_generation_keeps(scratch->fd, &active, 0);
        assert_generation_keeps(scratch->fd, &previous, 0);
        assert_generation_keeps(scratch->fd, &transition, 0);
}

static void test_a_retired_generation(void **state)
{
        struct scratch *scratch = *state;
        const struct su_state retired = {.transition = SU_GENERATION_NONE, .retired = 2};

        fill(scratch->fd);
        (void)collect(scratch->fd, &retired, 0);
        assert_kept(scratch->fd, "generations/2.json");
        assert_gone(scratch->fd, IMAGE("02")); /* it has no layers */
}

static void test_levels_order(void **state)
{
        struct scratch *scratch = *state;

        fill(scratch->fd);
        add_manifest(scratch->fd, HERE, "aa", 5);
        write_text(scratch->fd, IMAGE("05"), "data");
        (void)collect(scratch->fd, &nothing, 0);
        assert_kept(scratch->fd, IMAGE("05"));
        assert_gone(scratch->fd, IMAGE("04"));
}

/* The newest was recalled, and an older one took its place. */
static void test_what_is_offered(void **state)
{
        struct scratch *scratch = *state;
        struct su_state offered = nothing;

        fill(scratch->fd);
        offered.check.level = (struct su_level){"c"};
        (void)collect(scratch->fd, &offered, 0);
        assert_kept(scratch->fd, IMAGE("03"), DOWNLOAD("13"), IMAGE("04"), DOWNLOAD("14"));
        assert_gone(scratch->fd, IMAGE("02"), DOWNLOAD("12"));
        offered.check.level = (struct su_level){"z"}; /* of another baseline */
        (void)collect(scratch->fd, &offered, 0);
        assert_gone(scratch->fd, IMAGE("03"), DOWNLOAD("13"));
}

static void test_other_baselines(void **state)
{
        struct scratch *scratch = *state;
        struct su_state active = nothing;

        fill(scratch->fd);
        add_manifest(scratch->fd, ELSEWHERE, "x", 6);
        add_manifest(scratch->fd, ELSEWHERE, "y", 7);
        add_generation(scratch->fd, 7, ELSEWHERE, "x");
        write_text(scratch->fd, IMAGE("06"), "data");
        write_text(scratch->fd, IMAGE("07"), "data");
        active.active = 7; /* the OS was updated below it */
        (void)collect(scratch->fd, &active, 0);
        assert_kept(scratch->fd, "manifests/" ELSEWHERE ".x.json", IMAGE("06"));
        assert_kept(scratch->fd, "proofs/" ELSEWHERE ".x.tlog-proof");
        assert_gone(scratch->fd, "manifests/" ELSEWHERE ".y.json", IMAGE("07"));
        assert_gone(scratch->fd, "proofs/" ELSEWHERE ".y.tlog-proof");
        active.active = 0;
        active.retired = 7;
        (void)collect(scratch->fd, &active, 0);
        assert_kept(scratch->fd, "manifests/" ELSEWHERE ".x.json");
        assert_gone(scratch->fd, IMAGE("06"));
        (void)collect(scratch->fd, &nothing, 0);
        assert_gone(scratch->fd, "manifests/" ELSEWHERE ".x.json", "generations/7.json");
        assert_kept(scratch->fd, "manifests/" HERE ".a.json");
}

static void test_leftovers(void **state)
{
        struct scratch *scratch = *state;
        static const char *const leftovers[] = {
                "state.json.tmp",       "generations/9.json.tmp",        "images/partial",
                "downloads/partial",    "manifests/" HERE ".a.json.tmp", "trust/root.json.tmp",
                "trust/time-floor.tmp", "documents/channel.json.tmp",    "proofs/x.tmp",
                "images/something.tmp",
        };

        for (size_t i = 0; i < SU_ELEMENTS(leftovers); i++)
                write_text(scratch->fd, leftovers[i], "half");
        assert_int_equal(collect(scratch->fd, &nothing, 0).files, SU_ELEMENTS(leftovers));
        for (size_t i = 0; i < SU_ELEMENTS(leftovers); i++)
                assert_gone(scratch->fd, leftovers[i]);
}

static void test_what_is_not_understood_stays(void **state)
{
        struct scratch *scratch = *state;
        static const char *const strangers[] = {
                "state.json",
                "lock",
                "lock.asked",
                "history",
                "notes",
                "partial",
                "documents/channel.json",
                "trust/root.json",
                "trust/partial",
                "generations/01.json",
                "generations/0.json",
                "generations/1.json.bak",
                "generations/-1.json",
                "generations/.json",
                "manifests/notes.json",
                "manifests/.a.json",
                "manifests/" ELSEWHERE ".A.json",
                "manifests/" ELSEWHERE ".abc.json",
                "manifests/" ELSEWHERE ".a.tlog-proof",
                "proofs/" ELSEWHERE ".a.json",
                "images/" DIGEST("a0"),
                "images/" DIGEST("A0") ".erofs",
                "images/" DIGEST("a0") "0.erofs",
                "images/.tmp",
                DOWNLOAD("a0") ".gz",
                "downloads/.tmp",
                "others/" DIGEST("a0") ".erofs",
        };

        for (size_t i = 0; i < SU_ELEMENTS(strangers); i++)
                write_text(scratch->fd, strangers[i], "mine");
        assert_int_equal(collect(scratch->fd, &nothing, 0).files, 0);
        for (size_t i = 0; i < SU_ELEMENTS(strangers); i++)
                assert_kept(scratch->fd, strangers[i]);
}

static void test_only_files_are_removed(void **state)
{
        struct scratch *scratch = *state;

        write_text(scratch->fd, "elsewhere/" DIGEST("a0"), "mine");
        write_text(scratch->fd, IMAGE("a0") "/file", "a directory");
        write_text(scratch->fd, "generations/x.tmp/file", "a directory");
        assert_int_equal(symlinkat("../elsewhere", scratch->fd, IMAGE("a1")), 0);
        assert_int_equal(symlinkat("elsewhere", scratch->fd, "downloads"), 0);
        (void)collect_badly(scratch->fd, &nothing, 0); /* downloads is no directory */
        assert_kept(scratch->fd, "elsewhere/" DIGEST("a0"), IMAGE("a0"), IMAGE("a1"));
        assert_kept(scratch->fd, "generations/x.tmp/file");
}

/* Which images it needs cannot be told. */
static void assert_all_images_kept(int fd)
{
        assert_kept(fd, IMAGE("01"), IMAGE("02"), IMAGE("03"), IMAGE("04"), IMAGE("a0"));
}

static void test_a_damaged_generation(void **state)
{
        static const char *const texts[] = {
                "{", "{}",
                "{\"type\": \"suture-generation\", \"version\": 1, \"number\": 3, \"baseline\": "
                "\"" HERE "\", \"level\": \"a\", \"created\": \"2026-05-01T10:00:00Z\"}"};
        struct scratch *scratch = *state;
        struct su_state damaged = nothing;

        damaged.previous = 2;
        for (size_t i = 0; i < SU_ELEMENTS(texts); i++) {
                struct su_error err;

                fill(scratch->fd);
                add_manifest(scratch->fd, ELSEWHERE, "x", 6);
                write_text(scratch->fd, "generations/2.json", texts[i]);
                err = collect_badly(scratch->fd, &damaged, 0);
                assert_int_equal(err.code, SU_ERROR_FORMAT);
                assert_contains(err.message, i < 2 ? "generations/2.json" : "is of another one");
                assert_all_images_kept(scratch->fd);
                assert_kept(scratch->fd, "generations/2.json", "manifests/" ELSEWHERE ".x.json",
                            "proofs/" ELSEWHERE ".x.tlog-proof");
                /* These it does not name. */
                assert_gone(scratch->fd, "generations/1.json", DOWNLOAD("11"));
        }
}

static void test_a_missing_generation(void **state)
{
        struct scratch *scratch = *state;

        fill(scratch->fd);
        assert_int_equal(collect_badly(scratch->fd, &nothing, 8).errnum, ENOENT);
        assert_all_images_kept(scratch->fd);
}

static void test_a_damaged_manifest_of_a_generation(void **state)
{
        struct scratch *scratch = *state;
        struct su_state damaged = nothing;

        damaged.active = 2;
        fill(scratch->fd);
        write_text(scratch->fd, "manifests/" HERE ".b.json", "{}");
        assert_contains(collect_badly(scratch->fd, &damaged, 2).message, "(b)");
        assert_all_images_kept(scratch->fd);
        assert_gone(scratch->fd, "generations/1.json", DOWNLOAD("11"));
        assert_int_equal(unlinkat(scratch->fd, "manifests/" HERE ".b.json", 0), 0);
        assert_int_equal(collect_badly(scratch->fd, &damaged, 2).errnum, ENOENT);
        assert_all_images_kept(scratch->fd);
}

static void test_a_damaged_newest_manifest(void **state)
{
        struct scratch *scratch = *state;
        su_auto_free char *other = NULL;

        fill(scratch->fd);
        other = read_text(scratch->fd, "manifests/" HERE ".c.json");
        write_text(scratch->fd, "manifests/" HERE ".d.json", other);
        assert_contains(collect_badly(scratch->fd, &nothing, 0).message, "(d) is of");
        write_text(scratch->fd, "manifests/" HERE ".d.json", "");
        (void)collect_badly(scratch->fd, &nothing, 0);
        assert_all_images_kept(scratch->fd);
        assert_kept(scratch->fd, DOWNLOAD("11"), DOWNLOAD("14"), DOWNLOAD("b0"));
        assert_gone(scratch->fd, "generations/1.json");
}

static void test_manifests_that_cannot_be_listed(void **state)
{
        struct scratch *scratch = *state;

        fill(scratch->fd);
        assert_int_equal(renameat(scratch->fd, "manifests", scratch->fd, "gone"), 0);
        write_text(scratch->fd, "manifests", "a file");
        assert_int_equal(collect_badly(scratch->fd, &nothing, 0).errnum, ENOTDIR);
        assert_all_images_kept(scratch->fd);
        assert_kept(scratch->fd, DOWNLOAD("11"));
}

/* One file that cannot be removed is no reason to keep the others. */
static void test_a_directory_that_is_read_only(void **state)
{
        struct scratch *scratch = *state;
        struct su_collected collected;
        struct su_error err = {0};

        if (geteuid() == 0)
                skip_because("root may write everywhere");
        fill(scratch->fd);
        assert_int_equal(fchmodat(scratch->fd, "images", 0500, 0), 0);
        assert_fails_with(su_collect_garbage(scratch->fd, &nothing, 0, HERE, &collected, &err), err,
                          PERMISSION, "images/");
        assert_int_equal(fchmodat(scratch->fd, "images", 0700, 0), 0);
        assert_all_images_kept(scratch->fd);
        assert_gone(scratch->fd, DOWNLOAD("11"), "generations/1.json");
        assert_int_equal(collected.files, 4 + 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_an_empty_store),
                scratch_test(test_only_the_newest_level_is_needed),
                scratch_test(test_generations_that_are_needed),
                scratch_test(test_a_retired_generation),
                scratch_test(test_levels_order),
                scratch_test(test_what_is_offered),
                scratch_test(test_other_baselines),
                scratch_test(test_leftovers),
                scratch_test(test_what_is_not_understood_stays),
                scratch_test(test_only_files_are_removed),
                scratch_test(test_a_damaged_generation),
                scratch_test(test_a_missing_generation),
                scratch_test(test_a_damaged_manifest_of_a_generation),
                scratch_test(test_a_damaged_newest_manifest),
                scratch_test(test_manifests_that_cannot_be_listed),
                scratch_test(test_a_directory_that_is_read_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
