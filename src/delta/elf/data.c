/* References of everything that is not code: headers, relocations, symbols, tables of addresses. */
#include <stdlib.h>

#include "delta/elf/bytes.h"
#include "delta/elf/collect.h"

#define PROGRAM_HEADER_SIZE 56
#define SECTION_HEADER_SIZE 64
#define RELA_SIZE 24
#define SYMBOL_SIZE 24
#define DYNAMIC_SIZE 16

/* The first record of `size` bytes that ends behind `start`, counted from the section's begin. */
static uint64_t first_record(const struct su_elf_section *section, uint64_t start, uint64_t size)
{
        return section->offset + (start - section->offset) / size * size;
}

static uint64_t section_end(const struct su_elf_section *section)
{
        return section->offset + section->size;
}

/* ---- headers ---- */

/* A size field: the end of what begins at the address `back` bytes before the field. */
static void collect_size(struct su_collector *to, uint64_t offset, unsigned back, uint64_t address)
{
        uint64_t size = su_get64(to->module->elf.data + offset);

        if (size > 0)
                (void)su_collect_address(to, offset, SU_SIZE64, back, address + size, 0);
}

static void collect_program_header(struct su_collector *to, uint64_t at)
{
        const uint8_t *header = to->module->elf.data + at;
        uint64_t address = su_get64(header + 16);

        if (su_get32(header) == PT_GNU_STACK)
                return;
        su_collect(to, at + 8, SU_OFFSET64, 0, su_get64(header + 8), 0);
        (void)su_collect_address(to, at + 16, SU_ADDRESS64, 0, address, 0);
        (void)su_collect_address(to, at + 24, SU_ADDRESS64, 0, su_get64(header + 24), 0);
        collect_size(to, at + 32, 16, address);
        collect_size(to, at + 40, 24, address);
}

static void collect_section_header(struct su_collector *to, uint64_t at)
{
        const uint8_t *header = to->module->elf.data + at;
        uint64_t address = su_get64(header + 16);

        if (address != 0) {
                (void)su_collect_address(to, at + 16, SU_ADDRESS64, 0, address, 0);
                collect_size(to, at + 32, 16, address);
        }
        if (su_get64(header + 24) != 0)
                su_collect(to, at + 24, SU_OFFSET64, 0, su_get64(header + 24), 0);
}

static void collect_header_table(struct su_collector *to, uint64_t table, unsigned n, unsigned size,
                                 void (*collect)(struct su_collector *to, uint64_t at))
{
        uint64_t available = to->module->elf.size;

        if (table > available || (uint64_t)n * size > available - table ||
            table >= to->block->end || table + (uint64_t)n * size <= to->block->start)
                return;
        for (unsigned i = 0; i < n; i++)
                collect(to, table + (uint64_t)i * size);
}

void su_collect_headers(struct su_collector *to)
{
        const uint8_t *data = to->module->elf.data;

        su_collect(to, 40, SU_OFFSET64, 0, su_get64(data + 40), 0);
        if (su_get64(data + 24) != 0)
                (void)su_collect_address(to, 24, SU_ADDRESS64, 0, su_get64(data + 24), 0);
        collect_header_table(to, su_get64(data + 32), su_get16(data + 56), PROGRAM_HEADER_SIZE,
                             collect_program_header);
        collect_header_table(to, su_get64(data + 40), su_get16(data + 60), SECTION_HEADER_SIZE,
                             collect_section_header);
}

/* ---- relocations ---- */

static bool has_address_addend(uint32_t type)
{
        return type == R_X86_64_RELATIVE || type == R_X86_64_IRELATIVE ||
               type == R_AARCH64_RELATIVE || type == R_AARCH64_IRELATIVE;
}

static void collect_rela(struct su_collector *to, const struct su_elf_section *section,
                         uint64_t start, uint64_t end)
{
        const struct su_elf *elf = &to->module->elf;

        for (uint64_t at = first_record(section, start, RELA_SIZE);
             at < end && at + RELA_SIZE <= section_end(section); at += RELA_SIZE) {
                const uint8_t *rela = elf->data + at;
                uint32_t symbol = su_get32(rela + 12);

                (void)su_collect_address(to, at, SU_ADDRESS64, 0, su_get64(rela), 0);
                if (symbol && elf->dynsym)
                        su_collect(to, at + 12, SU_INDEX32, SYMBOL_SIZE,
                                   elf->dynsym->offset + (uint64_t)symbol * SYMBOL_SIZE,
                                   elf->dynsym->offset);
                if (has_address_addend(su_get32(rela + 8)) && su_get64(rela + 16) != 0)
                        (void)su_collect_address(to, at + 16, SU_ADDRESS64, 0, su_get64(rela + 16),
                                                 0);
        }
}

static void collect_relr(struct su_collector *to, const struct su_elf_section *section,
                         uint64_t start, uint64_t end)
{
        for (uint64_t at = first_record(section, start, 8);
             at < end && at + 8 <= section_end(section); at += 8) {
                uint64_t entry = su_get64(to->module->elf.data + at);

                if (!(entry & 1))
                        (void)su_collect_address(to, at, SU_ADDRESS64, 0, entry, 0);
        }
}

/* Note the word at `address`, if it is aligned and not zero. */
static void note_slot(struct su_module *module, uint64_t address, const uint64_t *only)
{
        const struct su_elf *elf = &module->elf;
        uint64_t offset, word;

        if (!su_elf_position(elf, address, &offset) || offset % 8 != 0 || offset + 8 > elf->size)
                return;
        word = su_get64(elf->data + offset);
        if (word != 0 && (!only || word == *only))
                module->slots[offset / 64] |= (uint8_t)(1U << (offset / 8 % 8));
}

static void find_rela_slots(struct su_module *module, const struct su_elf_section *section)
{
        for (uint64_t at = section->offset; at + RELA_SIZE <= section_end(section);
             at += RELA_SIZE) {
                const uint8_t *rela = module->elf.data + at;
                uint64_t addend = su_get64(rela + 16);

                if (has_address_addend(su_get32(rela + 8)))
                        note_slot(module, su_get64(rela), &addend);
        }
}

/* An even entry is an address; an odd one says which of the 63 words behind it are relocated. */
static void find_relr_slots(struct su_module *module, const struct su_elf_section *section)
{
        uint64_t next = 0;

        for (uint64_t at = section->offset; at + 8 <= section_end(section); at += 8) {
                uint64_t entry = su_get64(module->elf.data + at);

                if (!(entry & 1)) {
                        note_slot(module, entry, NULL);
                        next = entry + 8;
                        continue;
                }
                for (unsigned i = 0; i < 63; i++)
                        if (entry >> (i + 1) & 1)
                                note_slot(module, next + 8 * (uint64_t)i, NULL);
                next += 63 * 8;
        }
}

bool su_find_slots(struct su_module *module)
{
        module->slots = calloc(module->elf.size / 64 + 1, 1);
        if (!module->slots)
                return false;
        for (size_t i = 0; i < module->elf.n_sections; i++) {
                const struct su_elf_section *section = &module->elf.sections[i];

                if (section->role == SU_ELF_RELA)
                        find_rela_slots(module, section);
                else if (section->role == SU_ELF_RELR)
                        find_relr_slots(module, section);
        }
        return true;
}

static void collect_slots(struct su_collector *to, uint64_t start, uint64_t end)
{
        const struct su_module *module = to->module;

        for (uint64_t at = (start + 7) & ~UINT64_C(7); at < end && at + 8 <= module->elf.size;
             at += 8) {
                if (at % 64 == 0 && module->slots[at / 64] == 0) {
                        at += 56;
                        continue;
                }
                if (module->slots[at / 64] >> (at / 8 % 8) & 1)
                        (void)su_collect_address(to, at, SU_ADDRESS64, 0,
                                                 su_get64(module->elf.data + at), 0);
        }
}

/* ---- symbols ---- */

static const struct su_elf_section *strings_of(const struct su_elf *elf,
                                               const struct su_elf_section *section)
{
        for (size_t i = 0; i < elf->n_sections; i++)
                if (elf->sections[i].header == section->link)
                        return &elf->sections[i];
        return NULL;
}

static void collect_symbol(struct su_collector *to, uint64_t at,
                           const struct su_elf_section *strings)
{
        const uint8_t *symbol = to->module->elf.data + at;
        unsigned section = su_get16(symbol + 6);
        uint64_t value = su_get64(symbol + 8);

        if (strings && su_get32(symbol))
                su_collect(to, at, SU_STRING32, 0, strings->offset + su_get32(symbol),
                           strings->offset);
        if (value == 0 || section == SHN_UNDEF || section >= SHN_LORESERVE ||
            !su_collect_address(to, at + 8, SU_ADDRESS64, 0, value, 0))
                return;
        collect_size(to, at + 16, 8, value);
}

static void collect_symbols(struct su_collector *to, const struct su_elf_section *section,
                            uint64_t start, uint64_t end)
{
        const struct su_elf_section *strings = strings_of(&to->module->elf, section);

        for (uint64_t at = first_record(section, start, SYMBOL_SIZE);
             at < end && at + SYMBOL_SIZE <= section_end(section); at += SYMBOL_SIZE)
                collect_symbol(to, at, strings);
}

/* DT_GNU_HASH: where its chains begin, by index of the symbol. */
static void collect_hash(struct su_collector *to, const struct su_elf_section *section)
{
        const struct su_elf *elf = &to->module->elf;
        const uint8_t *hash = elf->data + section->offset;
        uint64_t buckets, n;

        if (!elf->dynsym || section->size < 16)
                return;
        n = su_get32(hash);
        buckets = 16 + 8 * (uint64_t)su_get32(hash + 8);
        if (buckets > section->size || 4 * n > section->size - buckets)
                return;
        su_collect(to, section->offset + 4, SU_INDEX32, SYMBOL_SIZE,
                   elf->dynsym->offset + (uint64_t)su_get32(hash + 4) * SYMBOL_SIZE,
                   elf->dynsym->offset);
        for (uint64_t i = 0; i < n; i++) {
                uint64_t index = su_get32(hash + buckets + 4 * i);

                if (index)
                        su_collect(to, section->offset + buckets + 4 * i, SU_INDEX32, SYMBOL_SIZE,
                                   elf->dynsym->offset + index * SYMBOL_SIZE, elf->dynsym->offset);
        }
}

/* ---- tables of addresses ---- */

static bool is_address_tag(uint64_t tag)
{
        switch (tag) {
        case DT_PLTGOT:
        case DT_HASH:
        case DT_STRTAB:
        case DT_SYMTAB:
        case DT_RELA:
        case DT_INIT:
        case DT_FINI:
        case DT_JMPREL:
        case DT_INIT_ARRAY:
        case DT_FINI_ARRAY:
        case 36: /* DT_RELR */
        case DT_GNU_HASH:
        case DT_VERSYM:
        case DT_VERDEF:
        case DT_VERNEED:
                return true;
        default:
                return false;
        }
}

static void collect_dynamic(struct su_collector *to, const struct su_elf_section *section)
{
        for (uint64_t at = section->offset; at + DYNAMIC_SIZE <= section_end(section);
             at += DYNAMIC_SIZE) {
                uint64_t tag = su_get64(to->module->elf.data + at);

                if (tag == DT_NULL)
                        return;
                if (is_address_tag(tag))
                        (void)su_collect_address(to, at + 8, SU_ADDRESS64, 0,
                                                 su_get64(to->module->elf.data + at + 8), 0);
        }
}

static void collect_words(struct su_collector *to, uint64_t start, uint64_t end)
{
        for (uint64_t at = (start + 7) & ~UINT64_C(7); at < end && at + 8 <= to->module->elf.size;
             at += 8) {
                uint64_t word = su_get64(to->module->elf.data + at);

                if (word >= 0x200)
                        (void)su_collect_address(to, at, SU_ADDRESS64, 0, word, 0);
        }
}

/* The kernel's tables: pairs and triples of distances from the field itself. */
static void collect_distances(struct su_collector *to, const struct su_elf_section *section,
                              uint64_t start, uint64_t end)
{
        for (uint64_t at = (start + 3) & ~UINT64_C(3); at < end && at + 4 <= section_end(section);
             at += 4) {
                uint64_t distance = su_get32_signed(to->module->elf.data + at);
                uint64_t address = section->address + (at - section->offset);

                if (distance + 0x1000 > 0x2000)
                        (void)su_collect_address(to, at, SU_DISTANCE32, 0, address + distance, 0);
        }
}

static void collect_jump_tables(struct su_collector *to, uint64_t start, uint64_t end)
{
        const struct su_module *module = to->module;
        size_t low = 0, high = module->n_tables;

        while (low < high) {
                size_t middle = (low + high) / 2;
                const struct su_jump_table *table = &module->tables[middle];

                if (table->offset + 4 * (uint64_t)table->n <= start)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; low < module->n_tables && module->tables[low].offset < end; low++) {
                const struct su_jump_table *table = &module->tables[low];
                uint64_t base, skip = 0;

                if (!su_elf_address(&module->elf, table->offset, &base))
                        continue;
                if (start > table->offset)
                        skip = (start - table->offset) / 4;
                for (uint64_t i = skip; i < table->n && table->offset + 4 * i < end; i++) {
                        uint64_t at = table->offset + 4 * i;

                        (void)su_collect_address(to, at, SU_BASED32, 0,
                                                 base + su_get32_signed(module->elf.data + at),
                                                 table->offset);
                }
        }
}

/* .eh_frame_hdr: where .eh_frame is, then pairs of a function and its record, relative to here. */
static void collect_frame_index(struct su_collector *to, const struct su_elf_section *section,
                                uint64_t start, uint64_t end)
{
        const uint8_t *data = to->module->elf.data;
        uint64_t first = section->offset + 12;

        if (section->size < 12 || data[section->offset + 1] != 0x1b ||
            data[section->offset + 3] != 0x3b)
                return;
        (void)su_collect_address(to, section->offset + 4, SU_DISTANCE32, 0,
                                 section->address + 4 + su_get32_signed(data + section->offset + 4),
                                 0);
        for (uint64_t at = start > first ? first + (start - first) / 4 * 4 : first;
             at < end && at + 4 <= section_end(section); at += 4)
                (void)su_collect_address(to, at, SU_BASED32, 0,
                                         section->address + su_get32_signed(data + at),
                                         section->offset);
}

void su_collect_data(struct su_collector *to, const struct su_elf_section *section, uint64_t start,
                     uint64_t end)
{
        switch (section->role) {
        case SU_ELF_RELA:
                collect_rela(to, section, start, end);
                return;
        case SU_ELF_RELR:
                collect_relr(to, section, start, end);
                return;
        case SU_ELF_SYMBOLS:
                collect_symbols(to, section, start, end);
                return;
        case SU_ELF_HASH:
                collect_hash(to, section);
                return;
        case SU_ELF_DYNAMIC:
                collect_dynamic(to, section);
                return;
        case SU_ELF_POINTERS:
                collect_words(to, start, end);
                return;
        case SU_ELF_EH_FRAME_HDR:
                collect_frame_index(to, section, start, end);
                return;
        case SU_ELF_RELATIVE:
                collect_distances(to, section, start, end);
                break;
        case SU_ELF_DATA:
                collect_jump_tables(to, start, end);
                if (to->module->elf.fixed)
                        collect_words(to, start, end);
                break;
        default:
                break;
        }
        collect_slots(to, start, end);
}
