#include "publish/checks/dynamic.h"

#include <gelf.h>
#include <string.h>

/* A file that says more of itself is damaged, or made to be. */
#define NEEDS_MAX 4096
#define VERSIONS_MAX 4096
#define EXPORTS_MAX (1 << 22)

/* A version by the number that the symbols have. */
struct version {
        GElf_Versym index;
        bool is_wanted; /* of another library */
        const char *name;
};

struct reading {
        struct su_dynamic *elf;
        struct version *versions;
        size_t n_versions;
        Elf_Scn *symbols;
        Elf_Scn *symbol_versions;
};

static void reading_done(struct reading *reading)
{
        free(reading->versions);
}

static const char *text_at(const struct reading *reading, const GElf_Shdr *header, size_t offset)
{
        const char *text = elf_strptr(reading->elf->handle, header->sh_link, offset);

        return text ? text : "";
}

/* Room for one more at the end of a list, which is doubled at each power of two. */
static int next_place(void *list, size_t *n, size_t max, size_t size, void **ret,
                      struct su_error *err)
{
        char **elements = list;
        char *first = *elements;

        if (*n >= max)
                return su_fail(err, SU_ERROR_TOO_LARGE, "it has more than %zu of them", max);
        if (!first || (*n & (*n - 1)) == 0) {
                first = reallocarray(first, *n == 0 ? 1 : *n * 2, size);
                if (!first)
                        return su_fail_oom(err);
                *elements = first;
        }
        *ret = first + *n * size;
        (*n)++;
        return 0;
}

static int add_need(struct reading *reading, const char *library, const char *version,
                    struct su_error *err)
{
        struct su_dynamic *elf = reading->elf;
        void *place = NULL;
        int r = next_place(&elf->needs, &elf->n_needs, NEEDS_MAX, sizeof *elf->needs, &place, err);

        if (r >= 0)
                *(struct su_dynamic_need *)place = (struct su_dynamic_need){library, version};
        return r;
}

static int add_version(struct reading *reading, GElf_Versym index, bool is_wanted, const char *name,
                       struct su_error *err)
{
        void *place = NULL;
        int r = next_place(&reading->versions, &reading->n_versions, VERSIONS_MAX,
                           sizeof *reading->versions, &place, err);

        if (r >= 0)
                *(struct version *)place = (struct version){index, is_wanted, name};
        return r;
}

static int read_dynamic(struct reading *reading, Elf_Scn *section, const GElf_Shdr *header,
                        struct su_error *err)
{
        Elf_Data *data = elf_getdata(section, NULL);
        const size_t n = header->sh_entsize > 0 ? header->sh_size / header->sh_entsize : 0;
        GElf_Dyn dynamic;

        for (size_t i = 0; data && i < n && gelf_getdyn(data, (int)i, &dynamic); i++) {
                const char *text;
                int r = 0;

                if (dynamic.d_tag != DT_NEEDED && dynamic.d_tag != DT_SONAME &&
                    dynamic.d_tag != DT_RUNPATH && dynamic.d_tag != DT_RPATH)
                        continue;
                text = text_at(reading, header, dynamic.d_un.d_val);
                if (dynamic.d_tag == DT_SONAME)
                        reading->elf->soname = text;
                else if (dynamic.d_tag == DT_NEEDED)
                        r = add_need(reading, text, "", err);
                else
                        reading->elf->search = text;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_definitions(struct reading *reading, Elf_Scn *section, const GElf_Shdr *header,
                            struct su_error *err)
{
        Elf_Data *data = elf_getdata(section, NULL);
        GElf_Verdef definition;
        GElf_Verdaux name;
        int at = 0;
        int r = 0;

        for (size_t i = 0; data && i < header->sh_info && gelf_getverdef(data, at, &definition) &&
                           gelf_getverdaux(data, at + (int)definition.vd_aux, &name) && r >= 0;
             i++) {
                if (!(definition.vd_flags & VER_FLG_BASE))
                        r = add_version(reading, definition.vd_ndx, false,
                                        text_at(reading, header, name.vda_name), err);
                if (definition.vd_next == 0)
                        break;
                at += (int)definition.vd_next;
        }
        return r;
}

static int read_wants_of(struct reading *reading, Elf_Data *data, const GElf_Shdr *header,
                         const GElf_Verneed *need, int at, struct su_error *err)
{
        const char *library = text_at(reading, header, need->vn_file);
        GElf_Vernaux wanted;
        int r = 0;

        for (size_t i = 0; i < need->vn_cnt && gelf_getvernaux(data, at, &wanted) && r >= 0; i++) {
                const char *name = text_at(reading, header, wanted.vna_name);

                r = add_version(reading, wanted.vna_other, true, name, err);
                if (r >= 0 && !(wanted.vna_flags & VER_FLG_WEAK))
                        r = add_need(reading, library, name, err);
                if (wanted.vna_next == 0)
                        break;
                at += (int)wanted.vna_next;
        }
        return r;
}

static int read_wants(struct reading *reading, Elf_Scn *section, const GElf_Shdr *header,
                      struct su_error *err)
{
        Elf_Data *data = elf_getdata(section, NULL);
        GElf_Verneed need;
        int at = 0;
        int r = 0;

        for (size_t i = 0;
             data && i < header->sh_info && gelf_getverneed(data, at, &need) && r >= 0; i++) {
                r = read_wants_of(reading, data, header, &need, at + (int)need.vn_aux, err);
                if (need.vn_next == 0)
                        break;
                at += (int)need.vn_next;
        }
        return r;
}

static int read_section(struct reading *reading, Elf_Scn *section, size_t names,
                        struct su_error *err)
{
        GElf_Shdr header;
        const char *name;

        if (!gelf_getshdr(section, &header))
                return 0;
        name = elf_strptr(reading->elf->handle, names, header.sh_name);
        if (name && strcmp(name, ".debug_info") == 0)
                reading->elf->has_debug_info = true;
        switch (header.sh_type) {
        case SHT_DYNSYM:
                reading->symbols = section;
                return 0;
        case SHT_GNU_versym:
                reading->symbol_versions = section;
                return 0;
        case SHT_DYNAMIC:
                return read_dynamic(reading, section, &header, err);
        case SHT_GNU_verdef:
                return read_definitions(reading, section, &header, err);
        case SHT_GNU_verneed:
                return read_wants(reading, section, &header, err);
        default:
                return 0;
        }
}

/* NULL: the symbol is not for others, or another library's that was copied (R_*_COPY). */
static const char *version_of(const struct reading *reading, Elf_Data *versions, size_t at)
{
        GElf_Versym index;

        if (!versions || !gelf_getversym(versions, (int)at, &index))
                return "";
        index &= 0x7fff; /* without the bit that says "not the default" */
        if (index == VER_NDX_LOCAL)
                return NULL;
        if (index == VER_NDX_GLOBAL)
                return "";
        for (size_t i = 0; i < reading->n_versions; i++)
                if (reading->versions[i].index == index)
                        return reading->versions[i].is_wanted ? NULL : reading->versions[i].name;
        return "";
}

static bool is_for_others(const GElf_Sym *symbol)
{
        const unsigned char binding = GELF_ST_BIND(symbol->st_info);
        const unsigned char type = GELF_ST_TYPE(symbol->st_info);
        const unsigned char visibility = GELF_ST_VISIBILITY(symbol->st_other);

        return (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
               type != STT_SECTION && type != STT_FILE &&
               (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static int add_export(struct reading *reading, const GElf_Sym *symbol, const char *name,
                      const char *version, struct su_error *err)
{
        const struct su_dynamic_export export = {
                .name = name,
                .version = version,
                .size = symbol->st_size,
                .is_weak = GELF_ST_BIND(symbol->st_info) == STB_WEAK,
                .is_data = GELF_ST_TYPE(symbol->st_info) == STT_OBJECT,
        };
        struct su_dynamic *elf = reading->elf;
        void *place = NULL;
        int r = next_place(&elf->exports, &elf->n_exports, EXPORTS_MAX, sizeof export, &place, err);

        if (place)
                memcpy(place, &export, sizeof export);
        return r;
}

static int add_import(struct su_dynamic *elf, const char *name, struct su_error *err)
{
        void *place = NULL;
        int r = next_place(&elf->imports, &elf->n_imports, EXPORTS_MAX, sizeof name, &place, err);

        if (place)
                memcpy(place, &name, sizeof name);
        return r;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_exports(const void *a, const void *b)
{
        const struct su_dynamic_export *x = a;
        const struct su_dynamic_export *y = b;
        const int order = strcmp(x->name, y->name);

        return order != 0 ? order : strcmp(x->version, y->version);
}

static int read_symbols(struct reading *reading, struct su_error *err)
{
        struct su_dynamic *elf = reading->elf;
        Elf_Data *versions =
                reading->symbol_versions ? elf_getdata(reading->symbol_versions, NULL) : NULL;
        Elf_Data *data = reading->symbols ? elf_getdata(reading->symbols, NULL) : NULL;
        GElf_Shdr header;
        GElf_Sym symbol;

        if (!data || !gelf_getshdr(reading->symbols, &header))
                return 0;
        for (size_t i = 1; gelf_getsym(data, (int)i, &symbol); i++) {
                const char *name = text_at(reading, &header, symbol.st_name);
                const char *version;
                int r;

                if (symbol.st_shndx == SHN_UNDEF) {
                        r = add_import(elf, name, err);
                } else {
                        version = is_for_others(&symbol) ? version_of(reading, versions, i) : NULL;
                        /* The versions themselves stand among the symbols. */
                        if (!version || (symbol.st_shndx == SHN_ABS && strcmp(name, version) == 0))
                                continue;
                        r = add_export(reading, &symbol, name, version, err);
                }
                if (r < 0)
                        return r;
        }
        if (elf->n_exports > 0)
                qsort(elf->exports, elf->n_exports, sizeof *elf->exports, compare_exports);
        if (elf->n_imports > 0)
                qsort(elf->imports, elf->n_imports, sizeof *elf->imports, compare_names);
        return 0;
}

static int keep_definitions(struct reading *reading, struct su_error *err)
{
        struct su_dynamic *elf = reading->elf;

        elf->versions = calloc(reading->n_versions + 1, sizeof *elf->versions);
        if (!elf->versions)
                return su_fail_oom(err);
        for (size_t i = 0; i < reading->n_versions; i++)
                if (!reading->versions[i].is_wanted)
                        elf->versions[elf->n_versions++] = reading->versions[i].name;
        return 0;
}

static int read_all(struct su_dynamic *elf, struct su_error *err)
{
        su_auto(reading_done) struct reading reading = {.elf = elf};
        Elf_Scn *section = NULL;
        size_t names;
        int r = 0;

        if (elf_getshdrstrndx(elf->handle, &names) != 0)
                return 0;
        while (r >= 0 && (section = elf_nextscn(elf->handle, section)))
                r = read_section(&reading, section, names, err);
        if (r >= 0)
                r = read_symbols(&reading, err);
        return r < 0 ? r : keep_definitions(&reading, err);
}

int su_dynamic_read(int *fd, const char *name, struct su_dynamic *ret, struct su_error *err)
{
        su_auto_dynamic struct su_dynamic elf = {.fd = su_take_fd(fd)};
        int r;

        if (elf_version(EV_CURRENT) == EV_NONE)
                return su_fail(err, SU_ERROR_SYSTEM, "libelf is too old");
        elf.handle = elf_begin(elf.fd, ELF_C_READ_MMAP, NULL);
        if (!elf.handle)
                return su_fail(err, SU_ERROR_SYSTEM, "cannot read '%s': %s", name, elf_errmsg(-1));
        if (elf_kind(elf.handle) == ELF_K_ELF) {
                r = read_all(&elf, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "'%s'", name);
        }
        *ret = elf;
        elf = (struct su_dynamic)SU_DYNAMIC_EMPTY;
        return 0;
}

void su_dynamic_done(struct su_dynamic *elf)
{
        free(elf->exports);
        free(elf->needs);
        free(elf->imports);
        free(elf->versions);
        if (elf->handle)
                (void)elf_end(elf->handle);
        su_close_fd(&elf->fd);
        *elf = (struct su_dynamic)SU_DYNAMIC_EMPTY;
}

bool su_dynamic_defines(const struct su_dynamic *elf, const char *version)
{
        for (size_t i = 0; i < elf->n_versions; i++)
                if (strcmp(elf->versions[i], version) == 0)
                        return true;
        return false;
}

bool su_dynamic_wants(const struct su_dynamic *elf, const struct su_dynamic_need *need)
{
        for (size_t i = 0; i < elf->n_needs; i++)
                if (strcmp(elf->needs[i].library, need->library) == 0 &&
                    strcmp(elf->needs[i].version, need->version) == 0)
                        return true;
        return false;
}

bool su_dynamic_takes(const struct su_dynamic *elf, const char *name)
{
        if (elf->n_imports > 0 &&
            bsearch(&name, elf->imports, elf->n_imports, sizeof *elf->imports, compare_names))
                return true;
        for (size_t i = 0; i < elf->n_exports; i++)
                if (elf->exports[i].is_data && strcmp(elf->exports[i].name, name) == 0)
                        return true;
        return false;
}

bool su_dynamic_is_private(const char *version)
{
        return strstr(version, "PRIVATE") || strstr(version, "private");
}
