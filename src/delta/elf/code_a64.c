/* References of AArch64 code. An address takes two instructions: ADRP for its page, and another,
 * not always near, for the bits below. Registers are followed over a window, so that what is found
 * does not depend on where the sweep began. */
#include "delta/elf/bytes.h"
#include "delta/elf/collect.h"

#define WINDOW (256 * 4) /* bytes from an ADRP to its last use */
#define REGISTERS 32
#define CALL_CLOBBERS 19 /* x0 to x18, and x30 */
#define LINK_REGISTER 30

/* An ADRP whose register still holds the page. */
struct page {
        bool known;
        bool used;
        uint64_t offset; /* of the ADRP */
        uint64_t address;
};

struct sweep {
        struct su_collector *to;
        struct page pages[REGISTERS];
};

/* An ADRP stands for what its first user makes of it: then both move alike. */
static void settle_page(struct sweep *sweep, struct page *page, uint64_t address)
{
        (void)su_collect_address(sweep->to, page->offset, SU_PAGE21, 0, address, 0);
        page->used = true;
}

static void forget(struct sweep *sweep, unsigned reg)
{
        struct page *page = &sweep->pages[reg];

        if (page->known && !page->used)
                settle_page(sweep, page, page->address);
        page->known = false;
}

static void forget_all(struct sweep *sweep)
{
        for (unsigned i = 0; i < REGISTERS; i++)
                forget(sweep, i);
}

static void forget_clobbered(struct sweep *sweep)
{
        for (unsigned i = 0; i < CALL_CLOBBERS; i++)
                forget(sweep, i);
        forget(sweep, LINK_REGISTER);
}

/* ADD (immediate, 64 bits, no shift), LDR and STR (unsigned offset) of all sizes: their shift; or
 * -1
 */
static int low_shift(uint32_t word)
{
        if ((word & 0xffc00000) == 0x91000000)
                return 0;
        if ((word & 0x3b000000) != 0x39000000)
                return -1;
        return (word & 0x04800000) == 0x04800000 && word >> 30 == 0 ? 4 : (int)(word >> 30);
}

static bool is_store(uint32_t word)
{
        return (word & 0x3b000000) == 0x39000000 && (word >> 22 & 3) == 0;
}

/* Whether the instruction may write the register in its lowest five bits. */
static bool writes_low_register(uint32_t word)
{
        if (is_store(word))
                return false;
        if ((word & 0x7e000000) == 0x34000000 || (word & 0x7e000000) == 0x36000000 ||
            (word & 0xff000010) == 0x54000000)
                return false; /* compare or test, and branch */
        if ((word & 0x3a000000) == 0x28000000 || (word & 0x3b200c00) == 0x38000000)
                return word & 0x00400000; /* pairs, unscaled: loads */
        return true;
}

static void use_page(struct sweep *sweep, uint64_t offset, uint32_t word)
{
        struct page *page = &sweep->pages[word >> 5 & 31];
        int shift = low_shift(word);
        uint64_t address;

        if (shift < 0 || !page->known)
                return;
        address = page->address + ((uint64_t)(word >> 10 & 0xfff) << shift);
        if (su_collect_address(sweep->to, offset, SU_LOW12, (unsigned)shift, address, 0) &&
            !page->used)
                settle_page(sweep, page, address);
}

static bool is_branch_kind(uint32_t word, enum su_reference_kind *ret)
{
        if ((word & 0x7c000000) == 0x14000000)
                *ret = SU_BRANCH26;
        else if ((word & 0xff000010) == 0x54000000 || (word & 0x7e000000) == 0x34000000)
                *ret = SU_BRANCH19;
        else if ((word & 0x7e000000) == 0x36000000)
                *ret = SU_BRANCH14;
        else
                return false;
        return true;
}

static bool is_literal_kind(uint32_t word, enum su_reference_kind *ret)
{
        if ((word & 0x9f000000) == 0x10000000)
                *ret = SU_ADR21;
        else if ((word & 0x3b000000) == 0x18000000)
                *ret = SU_LITERAL19;
        else
                return false;
        return true;
}

static void collect_word(struct sweep *sweep, uint64_t offset, uint64_t address,
                         const uint8_t *bytes)
{
        uint32_t word = su_get32(bytes);
        enum su_reference_kind kind;

        if (is_branch_kind(word, &kind)) {
                uint64_t target = su_reference_read(bytes, kind, 0, address, 0);

                if (su_elf_is_code(&sweep->to->module->elf, target))
                        (void)su_collect_address(sweep->to, offset, kind, 0, target, 0);
        } else if (is_literal_kind(word, &kind)) {
                (void)su_collect_address(sweep->to, offset, kind, 0,
                                         su_reference_read(bytes, kind, 0, address, 0), 0);
        } else if ((word & 0xffe00000) == 0x52800000 && (word >> 5 & 0xffff) >= 4) {
                su_collect(sweep->to, offset, SU_MOVE16, 0, word >> 5 & 0xffff, 0);
        }
}

/* What the instruction leaves of the registers. */
static void follow_registers(struct sweep *sweep, uint64_t offset, uint64_t address,
                             const uint8_t *bytes)
{
        uint32_t word = su_get32(bytes);

        if ((word & 0xfc000000) == 0x94000000 || (word & 0xfffffc1f) == 0xd63f0000) {
                forget_clobbered(sweep); /* BL, BLR */
        } else if ((word & 0xfe000000) == 0xd6000000) {
                forget_all(sweep); /* BR, RET */
        } else if ((word & 0xfc000000) != 0x14000000) {
                if (writes_low_register(word))
                        forget(sweep, word & 31);
                if ((word & 0x9f000000) == 0x90000000)
                        sweep->pages[word & 31] = (struct page){
                                .known = true,
                                .offset = offset,
                                .address = su_reference_read(bytes, SU_PAGE21, 0, address, 0),
                        };
        }
}

static void forget_distant(struct sweep *sweep, uint64_t offset)
{
        for (unsigned i = 0; i < REGISTERS; i++)
                if (sweep->pages[i].known && offset - sweep->pages[i].offset > WINDOW)
                        forget(sweep, i);
}

void su_fields_a64(struct su_block *block, uint64_t start, uint64_t end)
{
        static const uint8_t fields[4] = {SU_FIELD_OPCODE | SU_FIELD_START, SU_FIELD_OPCODE,
                                          SU_FIELD_MODRM, SU_FIELD_SIB};

        for (uint64_t i = start; i < end; i++)
                block->fields[i - block->start] = fields[i & 3];
}

void su_collect_a64(struct su_collector *to, const struct su_elf_section *section, uint64_t start,
                    uint64_t end)
{
        struct sweep sweep = {.to = to};
        uint64_t offset = start - section->offset > WINDOW ? start - WINDOW : section->offset;
        uint64_t limit = section->offset + section->size;

        if (limit - end > WINDOW)
                limit = end + WINDOW;
        offset = (offset + 3) & ~UINT64_C(3);
        for (; offset + 4 <= limit; offset += 4) {
                const uint8_t *bytes = to->module->elf.data + offset;
                uint64_t address = section->address + (offset - section->offset);

                forget_distant(&sweep, offset);
                collect_word(&sweep, offset, address, bytes);
                use_page(&sweep, offset, su_get32(bytes));
                follow_registers(&sweep, offset, address, bytes);
        }
        forget_all(&sweep);
}
