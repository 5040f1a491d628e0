/* References of x86-64 code: a linear sweep, which falls in step again soon wherever it begins. */
#include <stdlib.h>

#include "delta/elf/bytes.h"
#include "delta/elf/collect.h"
#include "delta/elf/x86.h"

/* How far before a block the sweep begins. */
#define RUN_IN 64
#define JUMP_TABLE_REACH 0x20000
#define JUMP_TABLE_MIN 3

struct instruction {
        struct su_x86_instruction parts;
        uint64_t offset, address;
        const uint8_t *bytes;
};

static uint8_t *field_at(struct su_block *block, uint64_t offset)
{
        return offset >= block->start && offset < block->end ? &block->fields[offset - block->start]
                                                             : NULL;
}

static enum su_field displacement_field(const struct su_x86_instruction *parts)
{
        return parts->displacement_size == 1 ? SU_FIELD_DISPLACEMENT8 : SU_FIELD_DISPLACEMENT32;
}

static enum su_field immediate_field(const struct su_x86_instruction *parts)
{
        return parts->immediate_size == 1   ? SU_FIELD_IMMEDIATE8
               : parts->immediate_size <= 4 ? SU_FIELD_IMMEDIATE32
                                            : SU_FIELD_IMMEDIATE64;
}

static void note_fields(struct su_block *block, uint64_t offset,
                        const struct su_x86_instruction *parts)
{
        enum su_field field = SU_FIELD_PREFIX;

        for (unsigned i = 0; i < parts->length; i++) {
                uint8_t *to = field_at(block, offset + i);

                if (i == parts->opcode_at)
                        field = SU_FIELD_OPCODE;
                if (parts->modrm_at && i == parts->modrm_at)
                        field = SU_FIELD_MODRM;
                if (parts->sib_at && i == parts->sib_at)
                        field = SU_FIELD_SIB;
                if (parts->displacement_at && i == parts->displacement_at)
                        field = displacement_field(parts);
                if (parts->immediate_at && i == parts->immediate_at)
                        field = immediate_field(parts);
                if (to)
                        *to = (uint8_t)(field | (i == 0 ? SU_FIELD_START : 0));
        }
}

static void collect_relative(struct su_collector *to, const struct instruction *instruction)
{
        static const enum su_reference_kind kinds[] = {
                [SU_X86_REL8] = SU_REL8,
                [SU_X86_CALL32] = SU_CALL32,
                [SU_X86_JUMP32] = SU_JUMP32,
                [SU_X86_RIP] = SU_RIP32,
        };
        const struct su_x86_instruction *parts = &instruction->parts;
        unsigned at = parts->displacement_at;
        enum su_reference_kind kind = kinds[parts->relative];
        uint64_t target = su_reference_read(instruction->bytes + at, kind, parts->length - at,
                                            instruction->address + at, 0);

        if (kind == SU_RIP32 || su_elf_is_code(&to->module->elf, target))
                (void)su_collect_address(to, instruction->offset + at, kind, parts->length - at,
                                         target, 0);
}

/* In a program at fixed addresses a displacement or an immediate may be one. */
static bool collect_fixed(struct su_collector *to, const struct instruction *instruction,
                          unsigned at, unsigned size)
{
        uint64_t value;

        if (!to->module->elf.fixed || at == 0 || size != 4)
                return false;
        value = su_get32_signed(instruction->bytes + at);
        return value >= 0x10000 &&
               su_collect_address(to, instruction->offset + at, SU_ADDRESS32, 0, value, 0);
}

/* mov r32, imm32; mov r/m32, imm32; push imm32: how __LINE__ reaches a function. */
static void collect_number(struct su_collector *to, const struct instruction *instruction)
{
        const struct su_x86_instruction *parts = &instruction->parts;
        uint8_t opcode = instruction->bytes[parts->opcode_at];
        uint32_t value;

        if (parts->immediate_size != 4 || parts->map != 0 ||
            !((opcode & 0xf8) == 0xb8 || opcode == 0xc7 || opcode == 0x68))
                return;
        value = su_get32(instruction->bytes + parts->immediate_at);
        if (value >= 4 && value < 0x10000)
                su_collect(to, instruction->offset + parts->immediate_at, SU_IMMEDIATE32, 0, value,
                           0);
}

static void collect_plt_push(struct su_collector *to, const struct instruction *instruction)
{
        const struct su_elf_section *rela = to->module->elf.rela_plt;

        if (instruction->parts.length == 5 && instruction->bytes[0] == 0x68 && rela)
                su_collect(to, instruction->offset + 1, SU_INDEX32, sizeof(Elf64_Rela),
                           rela->offset +
                                   sizeof(Elf64_Rela) * (uint64_t)su_get32(instruction->bytes + 1),
                           rela->offset);
}

static void collect_instruction(struct su_collector *to, const struct instruction *instruction,
                                enum su_elf_role role)
{
        const struct su_x86_instruction *parts = &instruction->parts;

        if (parts->relative != SU_X86_NONE)
                collect_relative(to, instruction);
        else if (collect_fixed(to, instruction, parts->immediate_at, parts->immediate_size) ||
                 collect_fixed(to, instruction, parts->displacement_at, parts->displacement_size))
                return;
        else if (role == SU_ELF_PLT)
                collect_plt_push(to, instruction);
        else
                collect_number(to, instruction);
}

static uint64_t sweep_start(const struct su_elf_section *section, uint64_t start)
{
        return start - section->offset > RUN_IN ? start - RUN_IN : section->offset;
}

void su_collect_x86(struct su_collector *to, const struct su_elf_section *section, uint64_t start,
                    uint64_t end)
{
        const uint8_t *data = to->module->elf.data;
        uint64_t limit = section->offset + section->size;

        for (uint64_t offset = sweep_start(section, start); offset < end;) {
                struct instruction instruction = {
                        .offset = offset,
                        .address = section->address + (offset - section->offset),
                        .bytes = data + offset,
                };
                int length = su_x86_decode(data + offset, limit - offset, &instruction.parts);

                if (length > 0)
                        collect_instruction(to, &instruction, section->role);
                offset += length > 0 ? (unsigned)length : 1;
        }
}

void su_fields_x86(const struct su_elf *elf, struct su_block *block,
                   const struct su_elf_section *section, uint64_t start, uint64_t end)
{
        uint64_t limit = section->offset + section->size;

        for (uint64_t offset = sweep_start(section, start); offset < end;) {
                struct su_x86_instruction parts;
                int length = su_x86_decode(elf->data + offset, limit - offset, &parts);
                uint8_t *field = field_at(block, offset);

                if (length > 0)
                        note_fields(block, offset, &parts);
                else if (field)
                        *field = SU_FIELD_OPCODE | SU_FIELD_START;
                offset += length > 0 ? (unsigned)length : 1;
        }
}

/* An entry of a jump table: a distance from the table to code near the one who uses it. */
static bool is_entry(const struct su_elf *elf, const struct su_elf_section *section,
                     uint64_t offset, uint64_t base, uint64_t user)
{
        uint64_t target;

        if (offset + 4 > section->offset + section->size)
                return false;
        target = base + su_get32_signed(elf->data + offset);
        return target - user + JUMP_TABLE_REACH <= 2 * JUMP_TABLE_REACH &&
               su_elf_is_code(elf, target);
}

/* The table at address `base`, which an instruction at `user` loads. */
static bool note_table(struct su_module *module, uint64_t base, uint64_t user)
{
        const struct su_elf *elf = &module->elf;
        const struct su_elf_section *section;
        uint64_t offset;
        uint32_t n = 0;
        size_t i;

        if (base % 4 != 0 || !su_elf_position(elf, base, &offset) || offset >= elf->size)
                return true;
        i = su_elf_section_at(elf, offset);
        if (i == elf->n_sections || elf->sections[i].offset > offset ||
            elf->sections[i].role != SU_ELF_DATA)
                return true;
        section = &elf->sections[i];
        while (is_entry(elf, section, offset + 4 * (uint64_t)n, base, user))
                n++;
        if (n < JUMP_TABLE_MIN)
                return true;
        if (module->n_tables == module->tables_capacity) {
                size_t capacity = module->tables_capacity ? module->tables_capacity * 2 : 256;
                struct su_jump_table *larger = realloc(module->tables, capacity * sizeof *larger);

                if (!larger)
                        return false;
                module->tables = larger;
                module->tables_capacity = capacity;
        }
        module->tables[module->n_tables++] = (struct su_jump_table){(uint32_t)offset, n};
        return true;
}

static int compare_tables(const void *a, const void *b)
{
        const struct su_jump_table *x = a, *y = b;

        if (x->offset != y->offset)
                return x->offset < y->offset ? -1 : 1;
        return x->n < y->n ? -1 : x->n > y->n;
}

/* Each once, and each up to where the next begins. */
static void order_tables(struct su_module *module)
{
        size_t n = 0;

        if (module->n_tables == 0)
                return;
        qsort(module->tables, module->n_tables, sizeof *module->tables, compare_tables);
        for (size_t i = 0; i < module->n_tables; i++) {
                struct su_jump_table table = module->tables[i];

                if (n > 0 && module->tables[n - 1].offset == table.offset)
                        n--;
                else if (n > 0 && module->tables[n - 1].n >
                                          (table.offset - module->tables[n - 1].offset) / 4)
                        module->tables[n - 1].n = (table.offset - module->tables[n - 1].offset) / 4;
                module->tables[n++] = table;
        }
        module->n_tables = n;
}

/* lea r64, [rip + d]: found by its bytes, for that is enough: what is no table does not look like
 * one. */
static bool find_in_section(struct su_module *module, const struct su_elf_section *section)
{
        const uint8_t *data = module->elf.data + section->offset;

        for (uint64_t at = 1; at + 6 <= section->size; at++) {
                if (data[at] != 0x8d || (data[at - 1] & 0xfb) != 0x48 ||
                    (data[at + 1] & 0xc7) != 0x05)
                        continue;
                if (!note_table(module, section->address + at + 6 + su_get32_signed(data + at + 2),
                                section->address + at + 6))
                        return false;
        }
        return true;
}

bool su_find_jump_tables(struct su_module *module)
{
        if (module->elf.machine != EM_X86_64)
                return true;
        for (size_t i = 0; i < module->elf.n_sections; i++)
                if (module->elf.sections[i].role == SU_ELF_CODE &&
                    !find_in_section(module, &module->elf.sections[i]))
                        return false;
        order_tables(module);
        return true;
}
