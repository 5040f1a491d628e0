/* Compare su_x86_decode() with what objdump says.
 *
 *     objdump -d -w -z FILE | x86-lengths
 *
 * Every line of code is decoded on its own, from the bytes that objdump shows: the length must be
 * theirs, and where objdump names the target of a branch or of a %rip-relative operand, the
 * displacement must lead to it. Prints the number of instructions that were compared, and each that
 * differs; fails when there is one. What objdump shows in another way than a processor sees it:
 *
 *   - "(bad)" and ".byte" are no instructions: not compared.
 *   - A line of nothing but prefixes (a REX that another prefix follows, for one) is the beginning
 *     of the next line's instruction, and may change its length: both are not compared.
 *   - fwait and the x87 instruction behind it are one line, but two instructions. fwait with
 * prefixes behind it is not compared.
 *
 * All but fwait with x87 are only to be seen in data between the code.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delta/elf/x86.h"

struct line {
        uint64_t address;
        uint8_t bytes[64];
        size_t size;
        const char *text;
};

static bool is_among(const char *word, size_t size, const char *const *words)
{
        for (; *words; words++)
                if (strlen(*words) == size && strncmp(*words, word, size) == 0)
                        return true;
        return false;
}

static bool is_prefix(const char *word, size_t size)
{
        static const char *const prefixes[] = {
                "data16", "addr32", "lock", "rep", "repz",    "repnz",    "cs",       "ds", "es",
                "fs",     "gs",     "ss",   "bnd", "notrack", "xacquire", "xrelease", NULL};

        return is_among(word, size, prefixes) || (size >= 3 && strncmp(word, "rex", 3) == 0);
}

static bool is_only_prefixes(const char *text)
{
        while (*text) {
                size_t size = strcspn(text, " ");

                if (!is_prefix(text, size))
                        return false;
                text += size;
                text += strspn(text, " ");
        }
        return true;
}

/* "  401000:\tf3 0f 1e fa \tendbr64"; false for what is no such line. */
static bool parse(char *text, struct line *line)
{
        char *end;
        uint64_t address = strtoull(text, &end, 16);

        text[strcspn(text, "\n")] = '\0';
        if (end == text || end[0] != ':' || end[1] != '\t')
                return false;
        line->address = address;
        line->size = 0;
        for (text = end + 2; *text && *text != '\t';) {
                unsigned long byte = strtoul(text, &end, 16);

                if (end == text || line->size == sizeof line->bytes)
                        return false;
                line->bytes[line->size++] = (uint8_t)byte;
                text = end + strspn(end, " ");
        }
        line->text = *text ? text + 1 : text;
        return true;
}

/* The target that objdump names, behind "# " or as a branch's operand. */
static bool target_of(const char *text, uint8_t relative, uint64_t *ret)
{
        const char *at = relative == SU_X86_RIP ? strstr(text, "# ") : text;
        char *end;

        if (!at)
                return false;
        if (relative == SU_X86_RIP) {
                at += 2;
        } else {
                while (is_prefix(at, strcspn(at, " ")))
                        at += strcspn(at, " ") + 1;
                at += strcspn(at, " ");
                at += strspn(at, " ");
        }
        *ret = strtoull(at, &end, 16);
        return end > at;
}

static int64_t displacement_of(const struct line *line,
                               const struct su_x86_instruction *instruction)
{
        const uint8_t *bytes = line->bytes + instruction->displacement_at;

        if (instruction->displacement_size == 1)
                return (int8_t)bytes[0];
        return (int32_t)(bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                         (uint32_t)bytes[3] << 24);
}

static bool is_comparable(const struct line *line)
{
        return !strstr(line->text, "(bad)") && strncmp(line->text, ".byte", 5) != 0 &&
               (!strstr(line->text, "fwait") || line->size == 1);
}

static bool agrees(const struct line *line)
{
        struct su_x86_instruction instruction;
        struct line rest = *line;
        uint64_t target;
        int length = su_x86_decode(line->bytes, line->size, &instruction);

        if (length > 0 && (size_t)length < line->size && line->bytes[length - 1] == 0x9b) {
                rest.address += (uint64_t)length;
                rest.size -= (size_t)length;
                memmove(rest.bytes, rest.bytes + length, rest.size);
                return agrees(&rest);
        }
        if (length < 0 || (size_t)length != line->size)
                return false;
        if (instruction.relative == SU_X86_NONE ||
            !target_of(line->text, instruction.relative, &target))
                return true;
        if (line->bytes[0] == 0x67) /* 32-bit addresses */
                return true;
        return line->address + line->size + displacement_of(line, &instruction) == target;
}

static void print(const struct line *line)
{
        (void)printf("differs at %" PRIx64 ":", line->address);
        for (size_t i = 0; i < line->size; i++)
                (void)printf(" %02x", line->bytes[i]);
        (void)printf(" %s\n", line->text);
}

int main(void)
{
        struct line line = {0};
        char *text = NULL;
        size_t size = 0;
        bool only_prefixes = false;
        uint64_t compared = 0, differing = 0;

        while (getline(&text, &size, stdin) >= 0) {
                bool behind_prefixes = only_prefixes;

                if (!parse(text, &line))
                        continue;
                only_prefixes = is_only_prefixes(line.text);
                if (behind_prefixes || only_prefixes || !is_comparable(&line))
                        continue;
                compared++;
                if (!agrees(&line)) {
                        differing++;
                        print(&line);
                }
        }
        free(text);
        (void)printf("%" PRIu64 " instructions compared, %" PRIu64 " differ\n", compared,
                     differing);
        return compared > 0 && differing == 0 ? 0 : 1;
}
