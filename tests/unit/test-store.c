#include "support.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "device/generation.h"
#include "device/image_store.h"
#include "device/store.h"
#include "image/seal.h"

static void test_generations(void **state)
{
        struct scratch *scratch = *state;
        struct su_component components[] = {
                {.name = (char *)"openssl"},
                {.name = (char *)"curl", .fit = SU_FIT_FIXED},
        };
        const struct su_manifest manifest = {
                .baseline = (char *)"debian-12-x86-64",
                .level = {"b"},
                .components = components,
                .n_components = 2,
        };
        su_auto_generation struct su_generation loaded = {0};
        struct su_error err = {0};

        assert_true(su_generation_load(scratch->fd, 3, &loaded, &err) == -ENOENT);
        assert_ok(su_generation_save(scratch->fd, 3, &manifest, &err), err);
        assert_true(su_generation_load(scratch->fd, 4, &loaded, &err) == -ENOENT);
        assert_ok(su_generation_load(scratch->fd, 3, &loaded, &err), err);
        assert_int_equal(loaded.number, 3);
        assert_string_equal(loaded.baseline, "debian-12-x86-64");
        assert_string_equal(loaded.level.name, "b");
        assert_true(loaded.created > 1780272000);
        assert_int_equal(loaded.n_parts, 2);
        assert_string_equal(loaded.parts[1].component, "curl");
        assert_int_equal(loaded.parts[0].fit, SU_FIT_APPLIES);
        assert_int_equal(loaded.parts[1].fit, SU_FIT_FIXED);
        write_text(scratch->fd, "generations/5.json", "{}");
        assert_fails_with(su_generation_load(scratch->fd, 5, &loaded, &err), err, FORMAT,
                          "generations/5.json");
        assert_int_equal(loaded.number, 3);
}

static void test_manifests(void **state)
{
        struct scratch *scratch = *state;
        static const char text[] =
                "{\"type\": \"suture-manifest\", \"version\": 1, \"baseline\": \"os-1\", "
                "\"architecture\": \"x86-64\", \"level\": \"a\", \"created\": "
                "\"2026-05-01T10:00:00Z\", \"components\": []}";
        const struct su_level level = {"a"};
        su_auto_manifest struct su_manifest manifest = {0};
        struct su_error err = {0};

        assert_true(su_store_load_manifest(scratch->fd, "os-1", &level, &manifest, &err) ==
                    -ENOENT);
        assert_ok(su_store_save_manifest(scratch->fd, "os-1", &level, text, strlen(text), &err),
                  err);
        assert_true(su_store_load_manifest(scratch->fd, "os-2", &level, &manifest, &err) ==
                    -ENOENT);
        assert_ok(su_store_load_manifest(scratch->fd, "os-1", &level, &manifest, &err), err);
        assert_string_equal(manifest.baseline, "os-1");
}

static void test_images(void **state)
{
        struct scratch *scratch = *state;
        struct su_image_ref image = {.size = 4};
        su_auto_close int source_fd = memory_file_of_text("data");
        su_auto_close int dir_fd = -EBADF;
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        struct su_error err = {0};

        assert_ok(su_seal_compute(source_fd, "data", &image.seal, &err), err);
        assert_fails(su_image_store_open(scratch->fd, &image, &fd, &err), err, NOT_FOUND);
        assert_fails(su_image_store_read(scratch->fd, &image, &fd, &err), err, NOT_FOUND);
        assert_false(su_image_store_enforces(scratch->fd, &image));
        assert_ok(su_image_store_dir(scratch->fd, &dir_fd, &err), err);
        assert_ok(su_image_store_name(&image, &name, &err), err);
        assert_fails(su_image_store_open(scratch->fd, &image, &fd, &err), err, NOT_FOUND);
        write_text(dir_fd, name, "data");
        assert_ok(su_image_store_open(scratch->fd, &image, &fd, &err), err);
        su_close_fd(&fd);
        assert_ok(su_image_store_read(scratch->fd, &image, &fd, &err), err);
        su_close_fd(&fd);
        assert_false(su_image_store_enforces(scratch->fd, &image));
        write_text(dir_fd, name, "dat4");
        assert_fails(su_image_store_open(scratch->fd, &image, &fd, &err), err, SEAL);
        assert_fails(su_image_store_read(scratch->fd, &image, &fd, &err), err, SEAL);
        assert_int_equal(fd, -EBADF);
        assert_int_equal(unlinkat(dir_fd, name, 0), 0);
        write_text(dir_fd, "elsewhere", "data");
        assert_int_equal(symlinkat("elsewhere", dir_fd, name), 0);
        assert_true(su_image_store_open(scratch->fd, &image, &fd, &err) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_generations),
                scratch_test(test_manifests),
                scratch_test(test_images),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
