#include "inventory/build_id.h"

#include <elf.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "base/reader.h"

#define PROGRAM_HEADERS_MAX 256
#define NOTES_SIZE_MAX (64 * 1024)

/* Beyond the largest offset there is nothing. */
static int read_part(int fd, const char *name, uint64_t offset, void *data, size_t size,
                     size_t *ret_size, struct su_error *err)
{
        *ret_size = 0;
        return offset > INT64_MAX - size ? 0
                                         : su_read_at(fd, data, size, offset, name, ret_size, err);
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

/* What of an ELF header and of its program headers matters, of either class. */
struct table {
        uint64_t offset;
        uint16_t n;
        uint16_t machine;
        bool is_32bit;
};

struct segment {
        uint32_t type;
        uint64_t offset;
        uint64_t size;
        uint64_t alignment;
};

static int search_segment(int fd, const char *name, const struct segment *segment,
                          struct su_build_id *ret, struct su_error *err)
{
        su_auto_free uint8_t *notes = NULL;
        size_t size;
        int r;

        if (segment->type != PT_NOTE || segment->size == 0 || segment->size > NOTES_SIZE_MAX)
                return 0;
        notes = malloc(segment->size);
        if (!notes)
                return su_fail_oom(err);
        r = read_part(fd, name, segment->offset, notes, segment->size, &size, err);
        if (r < 0)
                return r;
        return find_in_notes(notes, size, segment->alignment == 8 ? 8 : 4, ret);
}

/* An empty table for what is no little-endian ELF file. */
static int read_table(int fd, const char *name, struct table *ret, struct su_error *err)
{
        union {
                unsigned char ident[EI_NIDENT];
                Elf32_Ehdr of_32bit;
                Elf64_Ehdr of_64bit;
        } header;
        uint16_t entry_size;
        size_t wanted;
        size_t size;
        int r;

        *ret = (struct table){0};
        r = read_part(fd, name, 0, &header, sizeof header, &size, err);
        if (r < 0 || size < sizeof header.of_32bit || memcmp(header.ident, ELFMAG, SELFMAG) != 0 ||
            header.ident[EI_DATA] != ELFDATA2LSB)
                return r;
        if (header.ident[EI_CLASS] == ELFCLASS32) {
                *ret = (struct table){header.of_32bit.e_phoff, header.of_32bit.e_phnum,
                                      header.of_32bit.e_machine, true};
                entry_size = header.of_32bit.e_phentsize;
                wanted = sizeof(Elf32_Phdr);
        } else if (header.ident[EI_CLASS] == ELFCLASS64 && size == sizeof header) {
                *ret = (struct table){header.of_64bit.e_phoff, header.of_64bit.e_phnum,
                                      header.of_64bit.e_machine, false};
                entry_size = header.of_64bit.e_phentsize;
                wanted = sizeof(Elf64_Phdr);
        } else {
                return 0;
        }
        if (entry_size != wanted || ret->n > PROGRAM_HEADERS_MAX)
                ret->n = 0;
        return 0;
}

/* `ret_there` is false at the end of the file. */
static int read_segment(int fd, const char *name, const struct table *table, unsigned i,
                        struct segment *ret, bool *ret_there, struct su_error *err)
{
        union {
                Elf32_Phdr of_32bit;
                Elf64_Phdr of_64bit;
        } header;
        size_t wanted = table->is_32bit ? sizeof header.of_32bit : sizeof header.of_64bit;
        size_t size = 0;
        int r = 0;

        if (table->offset <= INT64_MAX - i * wanted)
                r = read_part(fd, name, table->offset + i * wanted, &header, wanted, &size, err);
        *ret_there = size == wanted;
        if (r < 0 || !*ret_there)
                return r;
        *ret = table->is_32bit
                       ? (struct segment){header.of_32bit.p_type, header.of_32bit.p_offset,
                                          header.of_32bit.p_filesz, header.of_32bit.p_align}
                       : (struct segment){header.of_64bit.p_type, header.of_64bit.p_offset,
                                          header.of_64bit.p_filesz, header.of_64bit.p_align};
        return 0;
}

int su_build_id_read(int fd, const char *name, struct su_build_id *ret, uint16_t *ret_machine,
                     struct su_error *err)
{
        struct su_build_id id = {0};
        struct table table;
        int r;

        r = read_table(fd, name, &table, err);
        for (unsigned i = 0; r >= 0 && i < table.n && id.size == 0; i++) {
                struct segment segment;
                bool there;

                r = read_segment(fd, name, &table, i, &segment, &there, err);
                if (r < 0 || !there)
                        break;
                r = search_segment(fd, name, &segment, &id, err);
        }
        if (r < 0)
                return r;
        *ret = id;
        if (ret_machine)
                *ret_machine = table.machine;
        return 0;
}

bool su_build_id_equal(const struct su_build_id *a, const struct su_build_id *b)
{
        return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}
