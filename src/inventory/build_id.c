#include "inventory/build_id.h"

#include <elf.h>
#include <string.h>

#include "base/own.h"
#include "base/reader.h"

#define PROGRAM_HEADERS_MAX 256
#define NOTES_SIZE_MAX (64 * 1024)

/* Read what is there of [offset, offset + size): *ret_size may be smaller at the end of the file.
 */
static int read_part(int fd, const char *name, uint64_t offset, void *data, size_t size,
                     size_t *ret_size, struct su_error *err)
{
        ssize_t n;

        if (offset > INT64_MAX - size) {
                *ret_size = 0;
                return 0;
        }
        do
                n = pread(fd, data, size, (off_t)offset);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return su_fail_errno(err, errno, "cannot read '%s'", name);
        *ret_size = (size_t)n;
        return 0;
}

static size_t pad_to(size_t size, size_t alignment)
{
        return (alignment - size % alignment) % alignment;
}

static bool find_in_notes(const void *notes, size_t size, size_t alignment, struct su_build_id *ret)
{
        struct su_reader reader;

        su_reader_init(&reader, notes, size);
        while (su_reader_left(&reader) >= sizeof(Elf64_Nhdr)) {
                uint32_t name_size = su_reader_le32(&reader);
                uint32_t data_size = su_reader_le32(&reader);
                uint32_t type = su_reader_le32(&reader);
                const char *owner = su_reader_bytes(&reader, name_size);
                const uint8_t *data;

                su_reader_skip(&reader, pad_to(name_size, alignment));
                data = su_reader_bytes(&reader, data_size);
                if (!su_reader_ok(&reader))
                        return false;
                if (type == NT_GNU_BUILD_ID && name_size == 4 && memcmp(owner, "GNU", 4) == 0 &&
                    data_size > 0 && data_size <= SU_BUILD_ID_MAX) {
                        ret->size = (uint8_t)data_size;
                        memcpy(ret->bytes, data, data_size);
                        return true;
                }
                su_reader_skip(&reader, pad_to(data_size, alignment));
        }
        return false;
}

static int search_segment(int fd, const char *name, const Elf64_Phdr *segment,
                          struct su_build_id *ret, struct su_error *err)
{
        su_auto_free uint8_t *notes = NULL;
        size_t size;
        int r;

        if (segment->p_type != PT_NOTE || segment->p_filesz == 0 ||
            segment->p_filesz > NOTES_SIZE_MAX)
                return 0;
        notes = malloc(segment->p_filesz);
        if (!notes)
                return su_fail_oom(err);
        r = read_part(fd, name, segment->p_offset, notes, segment->p_filesz, &size, err);
        if (r < 0)
                return r;
        return find_in_notes(notes, size, segment->p_align == 8 ? 8 : 4, ret);
}

static bool is_supported_elf(const Elf64_Ehdr *header, size_t size)
{
        return size == sizeof *header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
               header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB;
}

int su_build_id_read(int fd, const char *name, struct su_build_id *ret, uint16_t *ret_machine,
                     struct su_error *err)
{
        struct su_build_id id = {0};
        Elf64_Ehdr header;
        uint16_t machine = 0;
        size_t size;
        int r;

        r = read_part(fd, name, 0, &header, sizeof header, &size, err);
        if (r < 0)
                return r;
        if (is_supported_elf(&header, size)) {
                machine = header.e_machine;
                if (header.e_phentsize != sizeof(Elf64_Phdr) ||
                    header.e_phnum > PROGRAM_HEADERS_MAX)
                        header.e_phnum = 0;
                for (unsigned i = 0; i < header.e_phnum && id.size == 0; i++) {
                        Elf64_Phdr segment;

                        if (header.e_phoff > INT64_MAX - i * sizeof segment)
                                break;
                        r = read_part(fd, name, header.e_phoff + i * sizeof segment, &segment,
                                      sizeof segment, &size, err);
                        if (r < 0)
                                return r;
                        if (size < sizeof segment)
                                break;
                        r = search_segment(fd, name, &segment, &id, err);
                        if (r < 0)
                                return r;
                }
        }
        *ret = id;
        if (ret_machine)
                *ret_machine = machine;
        return 0;
}

bool su_build_id_equal(const struct su_build_id *a, const struct su_build_id *b)
{
        return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}
