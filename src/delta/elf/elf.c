#include "delta/elf/elf.h"

#include <stdlib.h>
#include <string.h>

#include "delta/elf/bytes.h"

#define HEADER_SIZE 64
#define PROGRAM_HEADER_SIZE 56
#define SECTION_HEADER_SIZE 64

static bool fits(uint64_t offset, uint64_t size, uint64_t available)
{
        return offset <= available && size <= available - offset;
}

static bool is_elf64(const uint8_t *data, uint64_t available)
{
        return available >= HEADER_SIZE && memcmp(data, "\177ELF\2\1", 6) == 0;
}

uint64_t su_elf_extent(const uint8_t *data, uint64_t available)
{
        uint64_t headers, size, end = 0;
        unsigned n;

        if (!is_elf64(data, available) ||
            (su_get16(data + 18) != EM_X86_64 && su_get16(data + 18) != EM_AARCH64) ||
            (su_get16(data + 16) != ET_EXEC && su_get16(data + 16) != ET_DYN))
                return 0;
        headers = su_get64(data + 40);
        size = (uint64_t)su_get16(data + 60) * SECTION_HEADER_SIZE;
        if (size > 0 && su_get16(data + 58) == SECTION_HEADER_SIZE &&
            fits(headers, size, available))
                end = headers + size;
        headers = su_get64(data + 32);
        n = su_get16(data + 56);
        if (su_get16(data + 54) != PROGRAM_HEADER_SIZE ||
            !fits(headers, (uint64_t)n * PROGRAM_HEADER_SIZE, available))
                return 0;
        for (unsigned i = 0; i < n; i++) {
                const uint8_t *header = data + headers + (uint64_t)i * PROGRAM_HEADER_SIZE;

                if (su_get32(header) != PT_LOAD)
                        continue;
                if (!fits(su_get64(header + 8), su_get64(header + 32), available))
                        return 0;
                if (su_get64(header + 8) + su_get64(header + 32) > end)
                        end = su_get64(header + 8) + su_get64(header + 32);
        }
        return end;
}

static void parse_segments(struct su_elf *elf)
{
        uint64_t headers = su_get64(elf->data + 32);
        unsigned n = su_get16(elf->data + 56);

        for (unsigned i = 0; i < n && elf->n_segments < SU_ELF_SEGMENTS_MAX; i++) {
                uint64_t at = headers + (uint64_t)i * PROGRAM_HEADER_SIZE;
                const uint8_t *header;
                struct su_elf_segment *segment = &elf->segments[elf->n_segments];

                if (!fits(at, PROGRAM_HEADER_SIZE, elf->size))
                        return;
                header = elf->data + at;
                if (su_get32(header) != PT_LOAD)
                        continue;
                *segment = (struct su_elf_segment){
                        .executable = su_get32(header + 4) & PF_X,
                        .offset = su_get64(header + 8),
                        .address = su_get64(header + 16),
                        .file_size = su_get64(header + 32),
                        .memory_size = su_get64(header + 40),
                };
                if (!fits(segment->offset, segment->file_size, elf->size) ||
                    segment->memory_size < segment->file_size ||
                    segment->memory_size > SU_ELF_MODULE_MAX)
                        continue;
                elf->n_segments++;
                /* Positions behind the file name the memory of one segment only: the last. */
                elf->zero_size = segment->memory_size - segment->file_size;
        }
}

static bool named(const char *name, const char *const *among)
{
        for (; *among; among++)
                if (strcmp(name, *among) == 0)
                        return true;
        return false;
}

static enum su_elf_role role_of_name(const char *name)
{
        static const char *const pointers[] = {".got", ".got.plt", "__mcount_loc", NULL};
        static const char *const relative[] = {"__ksymtab",
                                               "__ksymtab_gpl",
                                               "__ex_table",
                                               "__bug_table",
                                               ".orc_unwind_ip",
                                               ".smp_locks",
                                               "__jump_table",
                                               ".altinstructions",
                                               ".parainstructions",
                                               ".retpoline_sites",
                                               ".return_sites",
                                               ".call_sites",
                                               ".initcall.init",
                                               "__tracepoints_ptrs",
                                               ".static_call_sites",
                                               ".ibt_endbr_seal",
                                               NULL};

        if (strcmp(name, ".eh_frame") == 0)
                return SU_ELF_EH_FRAME;
        if (strcmp(name, ".eh_frame_hdr") == 0)
                return SU_ELF_EH_FRAME_HDR;
        if (named(name, pointers))
                return SU_ELF_POINTERS;
        if (named(name, relative))
                return SU_ELF_RELATIVE;
        return SU_ELF_OTHER;
}

static enum su_elf_role role_of(const struct su_elf_section *section, const char *name)
{
        enum su_elf_role role;

        switch (section->type) {
        case SHT_RELA:
                return SU_ELF_RELA;
        case SHT_RELR:
                return SU_ELF_RELR;
        case SHT_DYNAMIC:
                return SU_ELF_DYNAMIC;
        case SHT_SYMTAB:
        case SHT_DYNSYM:
                return SU_ELF_SYMBOLS;
        case SHT_GNU_HASH:
                return SU_ELF_HASH;
        case SHT_INIT_ARRAY:
        case SHT_FINI_ARRAY:
        case SHT_PREINIT_ARRAY:
                return SU_ELF_POINTERS;
        default:
                break;
        }
        role = role_of_name(name);
        if (role != SU_ELF_OTHER)
                return role;
        if (section->type != SHT_PROGBITS || !(section->flags & SHF_ALLOC))
                return SU_ELF_OTHER;
        if (!(section->flags & SHF_EXECINSTR))
                return SU_ELF_DATA;
        return strncmp(name, ".plt", 4) == 0 && strcmp(name, ".plt.got") != 0 ? SU_ELF_PLT
                                                                              : SU_ELF_CODE;
}

/* A name of the section header string table, cut to what a section of interest can have. */
static void read_name(const struct su_elf *elf, uint64_t strings, uint32_t at, char name[32])
{
        size_t n = 0;

        while (n < 31 && fits(strings, (uint64_t)at + n + 1, elf->size) &&
               elf->data[strings + at + n]) {
                name[n] = (char)elf->data[strings + at + n];
                n++;
        }
        name[n] = '\0';
}

static void read_section(const struct su_elf *elf, const uint8_t *header, uint64_t strings,
                         struct su_elf_section *ret, char name[32])
{
        *ret = (struct su_elf_section){
                .type = su_get32(header + 4),
                .flags = su_get64(header + 8),
                .address = su_get64(header + 16),
                .offset = su_get64(header + 24),
                .size = su_get64(header + 32),
                .link = su_get32(header + 40),
        };
        read_name(elf, strings, su_get32(header), name);
        if (ret->type == SHT_NOBITS || ret->type == SHT_NULL ||
            !fits(ret->offset, ret->size, elf->size))
                ret->size = 0;
        ret->role = ret->size ? role_of(ret, name) : SU_ELF_OTHER;
}

/* By offset, then by header: total, so that every sort agrees. */
static int compare_sections(const void *a, const void *b)
{
        const struct su_elf_section *x = a, *y = b;

        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;
        return x->header < y->header ? -1 : x->header > y->header;
}

/* Those without bytes, and of two that overlap the latter, say nothing. */
static void order_sections(struct su_elf *elf)
{
        uint64_t end = 0;
        size_t n = 0;

        qsort(elf->sections, elf->n_sections, sizeof *elf->sections, compare_sections);
        for (size_t i = 0; i < elf->n_sections; i++) {
                const struct su_elf_section *section = &elf->sections[i];

                if (section->size == 0 || section->offset < end)
                        continue;
                end = section->offset + section->size;
                elf->sections[n++] = *section;
        }
        elf->n_sections = n;
}

static const struct su_elf_section *find_header(const struct su_elf *elf, uint32_t header)
{
        for (size_t i = 0; i < elf->n_sections; i++)
                if (elf->sections[i].header == header)
                        return &elf->sections[i];
        return NULL;
}

/* What refers to what: symbols to their names, the PLT to its relocations. */
static void relate_sections(struct su_elf *elf, uint32_t rela_plt_header)
{
        for (size_t i = 0; i < elf->n_sections; i++)
                if (elf->sections[i].type == SHT_DYNSYM)
                        elf->dynsym = &elf->sections[i];
        if (elf->dynsym)
                elf->dynstr = find_header(elf, elf->dynsym->link);
        if (rela_plt_header)
                elf->rela_plt = find_header(elf, rela_plt_header);
}

/* Without section headers: what is mapped executable is code. */
static void make_up_sections(struct su_elf *elf)
{
        for (size_t i = 0; i < elf->n_segments; i++)
                elf->sections[elf->n_sections++] = (struct su_elf_section){
                        .role = elf->segments[i].executable ? SU_ELF_CODE : SU_ELF_DATA,
                        .header = (uint32_t)i,
                        .type = SHT_PROGBITS,
                        .flags = SHF_ALLOC | (elf->segments[i].executable ? SHF_EXECINSTR : 0),
                        .address = elf->segments[i].address,
                        .offset = elf->segments[i].offset,
                        .size = elf->segments[i].file_size,
                };
        order_sections(elf);
}

static void note_code(struct su_elf *elf)
{
        for (size_t i = 0; i < elf->n_sections && elf->n_code < SU_ELF_SEGMENTS_MAX; i++)
                if (elf->sections[i].role == SU_ELF_CODE || elf->sections[i].role == SU_ELF_PLT)
                        elf->code[elf->n_code++] = (struct su_elf_range){elf->sections[i].address,
                                                                         elf->sections[i].size};
}

static void parse_sections(struct su_elf *elf)
{
        uint64_t headers = su_get64(elf->data + 40);
        unsigned n = su_get16(elf->data + 60), names = su_get16(elf->data + 62);
        uint64_t strings = 0;
        uint32_t rela_plt = 0;
        char name[32];

        if (n == 0 || n > SU_ELF_SECTIONS_MAX ||
            !fits(headers, (uint64_t)n * SECTION_HEADER_SIZE, elf->size)) {
                make_up_sections(elf);
                return;
        }
        if (names < n)
                strings =
                        su_get64(elf->data + headers + (uint64_t)names * SECTION_HEADER_SIZE + 24);
        for (unsigned i = 1; i < n; i++) {
                struct su_elf_section *section = &elf->sections[elf->n_sections++];

                read_section(elf, elf->data + headers + (uint64_t)i * SECTION_HEADER_SIZE, strings,
                             section, name);
                section->header = i;
                if (strcmp(name, ".rela.plt") == 0)
                        rela_plt = i;
        }
        order_sections(elf);
        relate_sections(elf, rela_plt);
}

bool su_elf_parse(const uint8_t *data, uint64_t size, struct su_elf *ret)
{
        su_auto_elf struct su_elf elf = {.data = data, .size = size};

        if (!is_elf64(data, size) || size > SU_ELF_MODULE_MAX)
                return false;
        elf.machine = su_get16(data + 18);
        if (elf.machine != EM_X86_64 && elf.machine != EM_AARCH64)
                return false;
        elf.sections = calloc(SU_ELF_SECTIONS_MAX, sizeof *elf.sections);
        if (!elf.sections)
                return false;
        parse_segments(&elf);
        elf.fixed = su_get16(data + 16) == ET_EXEC && elf.n_segments > 0 &&
                    elf.segments[0].address >= 0x10000;
        parse_sections(&elf);
        note_code(&elf);
        *ret = elf;
        elf.sections = NULL;
        return true;
}

void su_elf_done(struct su_elf *elf)
{
        free(elf->sections);
        *elf = (struct su_elf){0};
}

bool su_elf_position(const struct su_elf *elf, uint64_t address, uint64_t *ret)
{
        const struct su_elf_segment *last;

        for (size_t i = 0; i < elf->n_segments; i++) {
                uint64_t distance = address - elf->segments[i].address;

                if (distance < elf->segments[i].file_size) {
                        *ret = elf->segments[i].offset + distance;
                        return true;
                }
        }
        if (elf->n_segments == 0)
                return false;
        last = &elf->segments[elf->n_segments - 1];
        if (address - last->address < last->file_size ||
            address - last->address > last->memory_size)
                return false;
        *ret = elf->size + (address - last->address - last->file_size);
        return true;
}

bool su_elf_address(const struct su_elf *elf, uint64_t position, uint64_t *ret)
{
        const struct su_elf_segment *last;

        for (size_t i = 0; i < elf->n_segments; i++) {
                uint64_t distance = position - elf->segments[i].offset;

                if (distance < elf->segments[i].file_size) {
                        *ret = elf->segments[i].address + distance;
                        return true;
                }
        }
        if (elf->n_segments == 0 || position < elf->size || position - elf->size > elf->zero_size)
                return false;
        last = &elf->segments[elf->n_segments - 1];
        *ret = last->address + last->file_size + (position - elf->size);
        return true;
}

bool su_elf_is_code(const struct su_elf *elf, uint64_t address)
{
        for (size_t i = 0; i < elf->n_code; i++)
                if (address - elf->code[i].address < elf->code[i].size)
                        return true;
        return false;
}

size_t su_elf_section_at(const struct su_elf *elf, uint64_t offset)
{
        size_t low = 0, high = elf->n_sections;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (elf->sections[middle].offset + elf->sections[middle].size <= offset)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}
