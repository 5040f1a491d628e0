#include "sample-elf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delta/elf/bytes.h"

#define SYMBOLS 4 /* besides the first */
#define POINTERS 3
#define BSS_SIZE 256
#define HEADERS (64 + 5 * 56)
#define BODY 64 /* bytes of a function's code, besides what fills it */
#define FILL 4

static void put16(uint8_t *to, unsigned value)
{
        to[0] = (uint8_t)value;
        to[1] = (uint8_t)(value >> 8);
}

/* ---- layout ---- */

static unsigned fill_of(const struct sample_elf *sample, unsigned id)
{
        return id * 7 % 5 + (sample->version && id % 5 == sample->version % 5 ? 3 : 0);
}

static unsigned line_of(const struct sample_elf *sample, size_t i)
{
        unsigned line = 40 + 13 * sample->ids[i];

        return i > sample->n / 2 ? line + 2 * sample->version : line;
}

/* A new function in the middle for each version, and one that is gone. */
static void name_functions(struct sample_elf *sample)
{
        sample->n = 0;
        for (unsigned id = 0; id < sample->functions; id++) {
                if (id == sample->functions / 2)
                        for (unsigned v = 0; v < sample->version; v++)
                                sample->ids[sample->n++] = 1000 + v;
                if (sample->version < 2 || id != sample->functions - 2)
                        sample->ids[sample->n++] = id;
        }
}

static uint64_t lay_out_text(struct sample_elf *sample)
{
        uint64_t at = 0;

        name_functions(sample);
        for (size_t i = 0; i < sample->n; i++) {
                sample->starts[i] = at;
                at += BODY + FILL * fill_of(sample, sample->ids[i]);
        }
        sample->starts[sample->n] = at;
        return at;
}

static void set_sizes(struct sample_elf *sample)
{
        uint64_t *sizes = sample->sizes;

        sizes[SAMPLE_TEXT] = lay_out_text(sample);
        sizes[SAMPLE_DYNSYM] = 24 * (1 + SYMBOLS);
        sizes[SAMPLE_DYNSTR] = 1 + 8 * SYMBOLS;
        sizes[SAMPLE_HASH] = 16 + 8 + 4 + 4 * SYMBOLS;
        sizes[SAMPLE_RELA] = 24 * (POINTERS + 1);
        sizes[SAMPLE_RELA_PLT] = 24 * 2;
        sizes[SAMPLE_RELR] = 16;
        sizes[SAMPLE_RODATA] = 16 + 16 * sample->functions;
        sizes[SAMPLE_FRAME_INDEX] = 12 + 8 * sample->n;
        sizes[SAMPLE_FRAMES] = 24 + 32 * sample->n + 4;
        sizes[SAMPLE_PLT] = 16 * 2;
        sizes[SAMPLE_INIT] = 16;
        sizes[SAMPLE_DYNAMIC] = 16 * 6;
        sizes[SAMPLE_GOT] = 8 * 3;
        sizes[SAMPLE_DATA] = 8 * POINTERS + 40;
        sizes[SAMPLE_BSS] = BSS_SIZE;
        sizes[SAMPLE_NAMES] = 256;
}

static void lay_out(struct sample_elf *sample)
{
        uint64_t at = HEADERS;

        set_sizes(sample);
        for (unsigned i = SAMPLE_DYNSYM; i < SAMPLE_SECTIONS; i++) {
                uint64_t bias = i < SAMPLE_PLT     ? 0
                                : i < SAMPLE_INIT  ? 0x1000
                                : i < SAMPLE_NAMES ? 0x2000
                                                   : 0;

                at = (at + 15) & ~UINT64_C(15);
                sample->offsets[i] = at;
                sample->addresses[i] =
                        i == SAMPLE_NAMES ? 0 : at + bias + (sample->fixed ? 0x400000 : 0);
                if (i != SAMPLE_BSS)
                        at += sample->sizes[i];
        }
        if (sample->bare)
                at = sample->offsets[SAMPLE_NAMES];
        else
                at = ((at + 7) & ~UINT64_C(7)) + 64 * SAMPLE_SECTIONS;
        sample->size = at;
}

uint64_t sample_elf_function(const struct sample_elf *sample, size_t i)
{
        return sample->addresses[SAMPLE_TEXT] + sample->starts[i % sample->n];
}

static uint8_t *section(const struct sample_elf *sample, enum sample_section i)
{
        return sample->data + sample->offsets[i];
}

/* ---- code ---- */

static uint64_t string_of(const struct sample_elf *sample, size_t i)
{
        return sample->addresses[SAMPLE_RODATA] + 16 +
               16 * (sample->ids[i] % (uint64_t)sample->functions);
}

static uint64_t variable_of(const struct sample_elf *sample, size_t i)
{
        return sample->addresses[SAMPLE_BSS] + 8 * (sample->ids[i] * 5 % 16) +
               8 * (sample->version % 4);
}

struct writer {
        uint8_t *to;
        uint64_t address;
};

static void put_bytes(struct writer *writer, const char *bytes, size_t n)
{
        memcpy(writer->to, bytes, n);
        writer->to += n;
        writer->address += n;
}

/* Four bytes that say how far it is from their end to `target`. */
static void put_distance(struct writer *writer, uint64_t target)
{
        su_put32(writer->to, (uint32_t)(target - writer->address - 4));
        writer->to += 4;
        writer->address += 4;
}

static void put_word(struct writer *writer, uint32_t word)
{
        su_put32(writer->to, word);
        writer->to += 4;
        writer->address += 4;
}

static void write_x86(const struct sample_elf *sample, size_t i, struct writer writer)
{
        const uint8_t *end = writer.to + BODY + FILL * fill_of(sample, sample->ids[i]);

        put_bytes(&writer, "\x55\x48\x89\xe5\x48\x8d\x3d", 7); /* lea rdi */
        put_distance(&writer, i == 0 ? sample->addresses[SAMPLE_RODATA] : string_of(sample, i));
        put_bytes(&writer, "\xbe", 1); /* mov esi, line */
        put_word(&writer, line_of(sample, i));
        put_bytes(&writer, "\xe8", 1);
        put_distance(&writer, sample_elf_function(sample, i * 7 + 3));
        put_bytes(&writer, "\x85\xc0\x74\x06\x89\x05", 6); /* test; je; mov [rip], eax */
        put_distance(&writer, variable_of(sample, i));
        put_bytes(&writer, "\x48\x8b\x05", 3); /* mov rax, [rip] */
        put_distance(&writer, sample->addresses[SAMPLE_GOT] + 16);
        for (unsigned j = 0; j < fill_of(sample, sample->ids[i]); j++) {
                const char step[] = {'\x48', '\x83', '\xc0', (char)(sample->ids[i] + j)};

                put_bytes(&writer, step, sizeof step);
        }
        put_bytes(&writer, "\xe8", 1);
        put_distance(&writer, sample->addresses[SAMPLE_PLT] + 16 * (i % 2));
        put_bytes(&writer, "\x0f\x85", 2); /* jne */
        put_distance(&writer, sample_elf_function(sample, i));
        put_bytes(&writer, "\x5d\xc3", 2);
        while (writer.to < end)
                put_bytes(&writer, "\xcc", 1);
}

static uint32_t branch(uint32_t opcode, uint64_t from, uint64_t to, unsigned at, unsigned bits)
{
        return opcode | ((uint32_t)((to - from) >> 2) & ((UINT32_C(1) << bits) - 1)) << at;
}

static uint32_t page(uint32_t reg, uint64_t from, uint64_t to)
{
        uint32_t pages = (uint32_t)((to >> 12) - (from >> 12));

        return 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5 | reg;
}

static void write_a64(const struct sample_elf *sample, size_t i, struct writer writer)
{
        const uint8_t *end = writer.to + BODY + FILL * fill_of(sample, sample->ids[i]);
        uint64_t string = string_of(sample, i), variable = variable_of(sample, i);

        put_word(&writer, 0xa9bf7bfd);
        put_word(&writer, page(0, writer.address, string));
        put_word(&writer, 0x91000000 | (uint32_t)(string & 0xfff) << 10);
        put_word(&writer, 0x52800001 | line_of(sample, i) << 5);
        put_word(&writer,
                 branch(0x94000000, writer.address, sample_elf_function(sample, i * 7 + 3), 0, 26));
        put_word(&writer, branch(0x34000000, writer.address, writer.address + 12, 5, 19));
        put_word(&writer, page(2, writer.address, variable));
        put_word(&writer, 0xf9000040 | (uint32_t)(variable >> 3 & 0x1ff) << 10);
        put_word(&writer, branch(0x36000000, writer.address, writer.address + 16, 5, 14));
        put_word(&writer,
                 branch(0x58000003, writer.address, sample->addresses[SAMPLE_TEXT], 5, 19));
        for (unsigned j = 0; j < fill_of(sample, sample->ids[i]); j++)
                put_word(&writer, 0x11000000 | (sample->ids[i] + j) % 4096 << 10);
        put_word(&writer, branch(0x94000000, writer.address,
                                 sample->addresses[SAMPLE_PLT] + 16 * (i % 2), 0, 26));
        put_word(&writer, 0x10000004 | 8 << 3); /* adr */
        put_word(&writer,
                 branch(0x54000001, writer.address, sample_elf_function(sample, i), 5, 19));
        put_word(&writer, 0xa8c17bfd);
        put_word(&writer, 0xd65f03c0);
        while (writer.to < end)
                put_word(&writer, 0xd503201f);
}

static void write_plt(const struct sample_elf *sample, unsigned i, struct writer writer)
{
        uint64_t slot = sample->addresses[SAMPLE_GOT] + 8 * (uint64_t)i;

        if (sample->machine == EM_X86_64) {
                put_bytes(&writer, "\xff\x25", 2);
                put_distance(&writer, slot);
                put_bytes(&writer, "\x68", 1);
                put_word(&writer, i);
                put_bytes(&writer, "\xe9", 1);
                put_distance(&writer, sample->addresses[SAMPLE_PLT]);
        } else {
                put_word(&writer, page(16, writer.address, slot));
                put_word(&writer, 0xf9400211 | (uint32_t)(slot >> 3 & 0x1ff) << 10);
                put_word(&writer, 0x91000210 | (uint32_t)(slot & 0xfff) << 10);
                put_word(&writer, 0xd61f0220);
        }
}

static void write_code(const struct sample_elf *sample)
{
        for (size_t i = 0; i < sample->n; i++) {
                struct writer writer = {section(sample, SAMPLE_TEXT) + sample->starts[i],
                                        sample_elf_function(sample, i)};

                if (sample->machine == EM_X86_64)
                        write_x86(sample, i, writer);
                else
                        write_a64(sample, i, writer);
        }
        for (unsigned i = 0; i < 2; i++)
                write_plt(sample, i,
                          (struct writer){section(sample, SAMPLE_PLT) + 16 * (size_t)i,
                                          sample->addresses[SAMPLE_PLT] + 16 * (uint64_t)i});
}

/* ---- the rest ---- */

static void write_symbols(const struct sample_elf *sample)
{
        uint8_t *symbols = section(sample, SAMPLE_DYNSYM);
        char *strings = (char *)section(sample, SAMPLE_DYNSTR);
        uint8_t *hash = section(sample, SAMPLE_HASH);

        for (unsigned i = 1; i <= SYMBOLS; i++) {
                uint8_t *symbol = symbols + 24 * (size_t)i;
                size_t function = (i - 1) % sample->n;

                (void)snprintf(strings + 1 + 8 * (size_t)(i - 1), 8, "name%u", i);
                su_put32(symbol, 1 + 8 * (i - 1));
                symbol[4] = 0x12;
                put16(symbol + 6, i == SYMBOLS ? SHN_UNDEF : SAMPLE_TEXT);
                if (i == SYMBOLS)
                        continue;
                su_put64(symbol + 8, sample_elf_function(sample, function));
                su_put64(symbol + 16, sample->starts[function + 1] - sample->starts[function]);
        }
        su_put32(hash, 1);
        su_put32(hash + 4, 1);
        su_put32(hash + 8, 1);
        su_put32(hash + 12, 6);
        su_put64(hash + 16, UINT64_C(0x1122334455667788));
        su_put32(hash + 24, 1);
}

static void write_rela(uint8_t *to, uint64_t offset, uint32_t symbol, uint32_t type,
                       uint64_t addend)
{
        su_put64(to, offset);
        su_put32(to + 8, type);
        su_put32(to + 12, symbol);
        su_put64(to + 16, addend);
}

static void write_relocations(const struct sample_elf *sample)
{
        bool x86 = sample->machine == EM_X86_64;
        uint8_t *rela = section(sample, SAMPLE_RELA), *plt = section(sample, SAMPLE_RELA_PLT);
        uint8_t *data = section(sample, SAMPLE_DATA), *init = section(sample, SAMPLE_INIT);
        uint8_t *got = section(sample, SAMPLE_GOT);

        for (unsigned i = 0; i < POINTERS; i++) {
                uint64_t target = sample_elf_function(sample, i * 2 + 1);

                su_put64(data + 8 * (size_t)i, target);
                write_rela(rela + 24 * (size_t)i, sample->addresses[SAMPLE_DATA] + 8 * (uint64_t)i,
                           0, x86 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE, target);
        }
        write_rela(rela + 24 * (size_t)POINTERS, sample->addresses[SAMPLE_GOT] + 16, SYMBOLS,
                   x86 ? R_X86_64_GLOB_DAT : R_AARCH64_GLOB_DAT, 0);
        for (unsigned i = 0; i < 2; i++) {
                su_put64(got + 8 * (size_t)i,
                         sample->addresses[SAMPLE_PLT] + 16 * (uint64_t)i + (x86 ? 6 : 0));
                write_rela(plt + 24 * (size_t)i, sample->addresses[SAMPLE_GOT] + 8 * (uint64_t)i,
                           SYMBOLS - i, x86 ? R_X86_64_JUMP_SLOT : R_AARCH64_JUMP_SLOT, 0);
                su_put64(init + 8 * (size_t)i, sample_elf_function(sample, i + 2));
        }
        su_put64(section(sample, SAMPLE_RELR), sample->addresses[SAMPLE_INIT]);
        su_put64(section(sample, SAMPLE_RELR) + 8, 3);
}

static void write_constants(const struct sample_elf *sample)
{
        static const struct {
                uint64_t tag;
                enum sample_section section;
        } entries[] = {{DT_SYMTAB, SAMPLE_DYNSYM},
                       {DT_STRTAB, SAMPLE_DYNSTR},
                       {DT_RELA, SAMPLE_RELA},
                       {DT_JMPREL, SAMPLE_RELA_PLT},
                       {DT_INIT_ARRAY, SAMPLE_INIT}};
        uint8_t *constants = section(sample, SAMPLE_RODATA);

        for (unsigned i = 0; i < 4; i++)
                su_put32(constants + 4 * (size_t)i, (uint32_t)(sample_elf_function(sample, i) + 4 -
                                                               sample->addresses[SAMPLE_RODATA]));
        for (unsigned i = 0; i < sample->functions; i++)
                (void)snprintf((char *)constants + 16 + 16 * (size_t)i, 16, "string %u.%u",
                               i & 0xfff, i == 1 ? sample->version & 0xf : 0);
        for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
                uint8_t *entry = section(sample, SAMPLE_DYNAMIC) + 16 * i;

                su_put64(entry, entries[i].tag);
                su_put64(entry + 8, sample->addresses[entries[i].section]);
        }
}

static void write_frames(const struct sample_elf *sample)
{
        static const uint8_t entry[] = {20, 0,    0,  0, 0,    0,  0, 0, 1,    'z', 'R', 0,
                                        1,  0x78, 16, 1, 0x1b, 12, 7, 8, 0x90, 1,   0,   0};
        uint8_t *frames = section(sample, SAMPLE_FRAMES), *index;
        uint64_t base = sample->addresses[SAMPLE_FRAMES];
        uint64_t index_base = sample->addresses[SAMPLE_FRAME_INDEX];

        index = section(sample, SAMPLE_FRAME_INDEX);
        memcpy(index, "\1\x1b\3\x3b", 4);
        su_put32(index + 4, (uint32_t)(base - index_base - 4));
        su_put32(index + 8, (uint32_t)sample->n);
        memcpy(frames, entry, sizeof entry);
        for (size_t i = 0; i < sample->n; i++) {
                uint32_t at = 24 + 32 * (uint32_t)i;
                uint64_t function = sample_elf_function(sample, i);

                su_put32(frames + at, 28);
                su_put32(frames + at + 4, at + 4);
                su_put32(frames + at + 8, (uint32_t)(function - (base + at + 8)));
                su_put32(frames + at + 12, (uint32_t)(sample->starts[i + 1] - sample->starts[i]));
                memcpy(frames + at + 17, "\x41\x0e\x10\x86\x02\x43\x0d\x06", 8);
                frames[at + 25] = (uint8_t)(0x40 + i % 32);
                su_put32(index + 12 + 8 * i, (uint32_t)(function - index_base));
                su_put32(index + 16 + 8 * i, (uint32_t)(base + at - index_base));
        }
}

/* ---- headers ---- */

static void write_segment(const struct sample_elf *sample, unsigned i, uint32_t type,
                          uint32_t flags, enum sample_section first, enum sample_section last)
{
        uint8_t *header = sample->data + 64 + 56 * (size_t)i;
        uint64_t offset = first ? sample->offsets[first] : 0;
        uint64_t address = first ? sample->addresses[first] : sample->fixed ? 0x400000 : 0;
        uint64_t end = sample->offsets[last] + (last == SAMPLE_BSS ? 0 : sample->sizes[last]);

        su_put32(header, type);
        su_put32(header + 4, flags);
        su_put64(header + 8, offset);
        su_put64(header + 16, address);
        su_put64(header + 24, address);
        su_put64(header + 32, end - offset);
        su_put64(header + 40, end - offset + (last == SAMPLE_BSS ? BSS_SIZE : 0));
        su_put64(header + 48, 16);
}

static void write_header(const struct sample_elf *sample)
{
        uint8_t *header = sample->data;

        memcpy(header, "\177ELF\2\1\1", 7);
        put16(header + 16, sample->fixed ? ET_EXEC : ET_DYN);
        put16(header + 18, sample->machine);
        su_put32(header + 20, 1);
        su_put64(header + 24, sample_elf_function(sample, 0));
        su_put64(header + 32, 64);
        put16(header + 52, 64);
        put16(header + 54, 56);
        put16(header + 56, 5);
        put16(header + 58, 64);
        write_segment(sample, 0, PT_LOAD, PF_R, SAMPLE_NONE, SAMPLE_FRAMES);
        write_segment(sample, 1, PT_LOAD, PF_R | PF_X, SAMPLE_PLT, SAMPLE_TEXT);
        write_segment(sample, 2, PT_LOAD, PF_R | PF_W, SAMPLE_INIT, SAMPLE_BSS);
        write_segment(sample, 3, PT_DYNAMIC, PF_R | PF_W, SAMPLE_DYNAMIC, SAMPLE_DYNAMIC);
        write_segment(sample, 4, PT_GNU_EH_FRAME, PF_R, SAMPLE_FRAME_INDEX, SAMPLE_FRAME_INDEX);
}

struct named_section {
        const char *name;
        uint32_t type;
        uint64_t flags;
        uint32_t link;
};

static const struct named_section named_sections[SAMPLE_SECTIONS] = {
        [SAMPLE_DYNSYM] = {".dynsym", SHT_DYNSYM, SHF_ALLOC, SAMPLE_DYNSTR},
        [SAMPLE_DYNSTR] = {".dynstr", SHT_STRTAB, SHF_ALLOC, 0},
        [SAMPLE_HASH] = {".gnu.hash", SHT_GNU_HASH, SHF_ALLOC, SAMPLE_DYNSYM},
        [SAMPLE_RELA] = {".rela.dyn", SHT_RELA, SHF_ALLOC, SAMPLE_DYNSYM},
        [SAMPLE_RELA_PLT] = {".rela.plt", SHT_RELA, SHF_ALLOC, SAMPLE_DYNSYM},
        [SAMPLE_RELR] = {".relr.dyn", 19, SHF_ALLOC, 0},
        [SAMPLE_RODATA] = {".rodata", SHT_PROGBITS, SHF_ALLOC, 0},
        [SAMPLE_FRAME_INDEX] = {".eh_frame_hdr", SHT_PROGBITS, SHF_ALLOC, 0},
        [SAMPLE_FRAMES] = {".eh_frame", SHT_PROGBITS, SHF_ALLOC, 0},
        [SAMPLE_PLT] = {".plt", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0},
        [SAMPLE_TEXT] = {".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0},
        [SAMPLE_INIT] = {".init_array", SHT_INIT_ARRAY, SHF_ALLOC | SHF_WRITE, 0},
        [SAMPLE_DYNAMIC] = {".dynamic", SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, SAMPLE_DYNSTR},
        [SAMPLE_GOT] = {".got", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0},
        [SAMPLE_DATA] = {".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0},
        [SAMPLE_BSS] = {".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0},
        [SAMPLE_NAMES] = {".shstrtab", SHT_STRTAB, 0, 0},
};

static void write_section_headers(const struct sample_elf *sample)
{
        uint64_t headers = sample->size - 64 * SAMPLE_SECTIONS;
        char *names = (char *)section(sample, SAMPLE_NAMES);
        size_t at = 1;

        su_put64(sample->data + 40, headers);
        put16(sample->data + 60, SAMPLE_SECTIONS);
        put16(sample->data + 62, SAMPLE_NAMES);
        for (unsigned i = 1; i < SAMPLE_SECTIONS; i++) {
                const struct named_section *named = &named_sections[i];
                uint8_t *header = sample->data + headers + 64 * (size_t)i;
                size_t length = strlen(named->name) + 1;

                memcpy(names + at, named->name, length);
                su_put32(header, (uint32_t)at);
                at += length;
                su_put32(header + 4, named->type);
                su_put64(header + 8, named->flags);
                su_put64(header + 16, sample->addresses[i]);
                su_put64(header + 24, sample->offsets[i]);
                su_put64(header + 32, sample->sizes[i]);
                su_put32(header + 40, named->link);
        }
}

void sample_elf_make(struct sample_elf *sample)
{
        lay_out(sample);
        sample->data = calloc(1, sample->size);
        if (!sample->data)
                abort();
        write_header(sample);
        write_symbols(sample);
        write_relocations(sample);
        write_constants(sample);
        write_frames(sample);
        write_code(sample);
        if (!sample->bare)
                write_section_headers(sample);
}
