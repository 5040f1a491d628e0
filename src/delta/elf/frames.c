/* References of call frame information (.eh_frame): records that name a function's code, its size
 * and its language-specific data. Source: LSB core, 10.6; DWARF, 6.4. */
#include <stdlib.h>

#include "delta/elf/bytes.h"
#include "delta/elf/collect.h"

#define RELATIVE_SIGNED32 0x1b /* DW_EH_PE_pcrel | DW_EH_PE_sdata4 */
#define INDIRECT 0x80
#define OMITTED 0xff

/* What a common information entry says of the records that name it. */
struct cie {
        uint64_t offset;
        bool valid;
        bool augmented; /* records carry the length of their augmentation data */
        uint8_t code_encoding, data_encoding;
        uint64_t personality; /* offset of the field; 0: none that moves */
};

struct record {
        uint64_t offset, end; /* of the length field; behind the last byte */
        uint32_t id;          /* 0: a common information entry */
};

static bool read_record(const uint8_t *data, uint64_t offset, uint64_t limit, struct record *ret)
{
        uint32_t length;

        if (offset + 8 > limit)
                return false;
        length = su_get32(data + offset);
        if (length < 4 || length == UINT32_MAX || length > limit - offset - 4)
                return false;
        *ret = (struct record){offset, offset + 4 + length, su_get32(data + offset + 4)};
        return true;
}

static uint64_t read_uleb(const uint8_t *data, uint64_t *at, uint64_t end)
{
        uint64_t value = 0;

        for (unsigned shift = 0; *at < end; shift += 7) {
                uint8_t byte = data[(*at)++];

                if (shift < 63)
                        value |= (uint64_t)(byte & 0x7f) << shift;
                if (!(byte & 0x80))
                        break;
        }
        return value;
}

static unsigned encoded_width(uint8_t encoding)
{
        switch (encoding & 0x0f) {
        case 0x02:
        case 0x0a:
                return 2;
        case 0x03:
        case 0x0b:
                return 4;
        default:
                return 8;
        }
}

static void read_augmentation(const uint8_t *data, const uint8_t *letters, uint64_t at,
                              uint64_t end, struct cie *ret)
{
        ret->augmented = true;
        (void)read_uleb(data, &at, end);
        for (letters++; *letters && at < end; letters++) {
                uint8_t encoding;

                if (*letters != 'R' && *letters != 'L' && *letters != 'P')
                        continue;
                encoding = data[at++];
                if (*letters == 'R') {
                        ret->code_encoding = encoding;
                } else if (*letters == 'L') {
                        ret->data_encoding = encoding;
                } else {
                        if ((encoding & ~INDIRECT) == RELATIVE_SIGNED32 && at + 4 <= end)
                                ret->personality = at;
                        at += encoded_width(encoding);
                }
        }
}

static void read_cie(const uint8_t *data, const struct record *record, struct cie *ret)
{
        uint64_t at = record->offset + 9;
        const uint8_t *letters = data + at;

        *ret = (struct cie){.offset = record->offset, .data_encoding = OMITTED};
        while (at < record->end && data[at])
                at++;
        if (at >= record->end)
                return;
        at++;
        (void)read_uleb(data, &at, record->end); /* code alignment */
        (void)read_uleb(data, &at, record->end); /* data alignment */
        (void)read_uleb(data, &at, record->end); /* return address register */
        ret->valid = true;
        if (letters[0] == 'z')
                read_augmentation(data, letters, at, record->end, ret);
}

struct walk {
        struct su_collector *to;
        const struct su_elf_section *section;
        const uint8_t *data;
        struct cie cie;
};

static uint64_t address_of(const struct walk *walk, uint64_t offset)
{
        return walk->section->address + (offset - walk->section->offset);
}

static void collect_distance(struct walk *walk, uint64_t at)
{
        (void)su_collect_address(walk->to, at, SU_DISTANCE32, 0,
                                 address_of(walk, at) + su_get32_signed(walk->data + at), 0);
}

/* The entry that a record names; read only when it is another than the last one's. */
static void find_cie(struct walk *walk, const struct record *record)
{
        uint64_t limit = walk->section->offset + walk->section->size;
        uint64_t offset = record->offset + 4 - record->id;
        struct record entry;

        if (record->id > record->offset + 4 - walk->section->offset) {
                walk->cie = (struct cie){0};
                return;
        }
        if (walk->cie.valid && walk->cie.offset == offset)
                return;
        walk->cie = (struct cie){0};
        if (read_record(walk->data, offset, limit, &entry) && entry.id == 0)
                read_cie(walk->data, &entry, &walk->cie);
}

static void collect_language_data(struct walk *walk, const struct record *record)
{
        uint64_t at = record->offset + 16;
        uint64_t size;

        if (!walk->cie.augmented || walk->cie.data_encoding != RELATIVE_SIGNED32)
                return;
        size = read_uleb(walk->data, &at, record->end);
        if (size >= 4 && at + 4 <= record->end && su_get32(walk->data + at) != 0)
                collect_distance(walk, at);
}

static void collect_description(struct walk *walk, const struct record *record)
{
        uint64_t code;

        find_cie(walk, record);
        su_collect(walk->to, record->offset + 4, SU_CIE32, 0, record->offset + 4 - record->id, 0);
        if (!walk->cie.valid || walk->cie.code_encoding != RELATIVE_SIGNED32 ||
            record->end - record->offset < 17)
                return;
        code = address_of(walk, record->offset + 8) +
               su_get32_signed(walk->data + record->offset + 8);
        if (!su_collect_address(walk->to, record->offset + 8, SU_DISTANCE32, 0, code, 0))
                return;
        (void)su_collect_address(walk->to, record->offset + 12, SU_SIZE32, 4,
                                 code + su_get32(walk->data + record->offset + 12), 0);
        collect_language_data(walk, record);
}

static void collect_record(struct walk *walk, const struct record *record)
{
        if (record->id != 0) {
                collect_description(walk, record);
                return;
        }
        read_cie(walk->data, record, &walk->cie);
        if (walk->cie.personality)
                collect_distance(walk, walk->cie.personality);
}

static const struct su_elf_section *frames_section(const struct su_elf *elf)
{
        for (size_t i = 0; i < elf->n_sections; i++)
                if (elf->sections[i].role == SU_ELF_EH_FRAME)
                        return &elf->sections[i];
        return NULL;
}

void su_collect_frames(struct su_collector *to, const struct su_elf_section *section,
                       uint64_t start, uint64_t end)
{
        struct walk walk = {.to = to, .section = section, .data = to->module->elf.data};
        uint64_t limit = section->offset + section->size, at;
        struct record record;

        if (section != frames_section(&to->module->elf))
                return;
        at = to->module->frames[(start - section->offset) >> SU_MODULE_BLOCK_LOG];
        while (at < end && read_record(walk.data, at, limit, &record)) {
                collect_record(&walk, &record);
                at = record.end;
        }
}

/* Per block's length of the section, the record that reaches into it. */
bool su_find_frames(struct su_module *module)
{
        const struct su_elf_section *section = frames_section(&module->elf);
        struct record record;
        uint64_t at, limit;
        size_t n = 0;

        if (!section)
                return true;
        at = section->offset;
        limit = section->offset + section->size;
        module->n_frames = (section->size >> SU_MODULE_BLOCK_LOG) + 1;
        module->frames = calloc(module->n_frames, sizeof *module->frames);
        if (!module->frames)
                return false;
        while (read_record(module->elf.data, at, limit, &record)) {
                while (n < module->n_frames &&
                       section->offset + ((uint64_t)n << SU_MODULE_BLOCK_LOG) < record.end)
                        module->frames[n++] = (uint32_t)at;
                at = record.end;
        }
        while (n < module->n_frames)
                module->frames[n++] = (uint32_t)at;
        return true;
}
