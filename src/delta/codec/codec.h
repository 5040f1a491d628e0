/* The language of deltas: a part of the target, told by operations on a part of the sources.
 *
 * One procedure serves both sides. With `want` it encodes: it knows the new bytes, and codes what a
 * decoder cannot foretell. Without, it decodes. Either way the new bytes come out at the sink.
 * What is coded, in which order, is in docs/FORMATS.md, "Delta"; sources of the ideas are there.
 */
#pragma once

#include "base/error.h"
#include "delta/codec/model.h"
#include "delta/codec/projection.h"
#include "delta/codec/window.h"
#include "delta/elf/module.h"

#define SU_PART_MAX (UINT32_C(1) << 31)

struct su_part {
        const uint8_t *old; /* the range of the sources that copies come from */
        uint64_t old_size;
        /* The analysis of that range, which is then one ELF file and moves as one; or NULL. */
        const struct su_module *module;
        uint64_t size; /* of the new bytes */

        /* The encoder's: */
        const uint8_t *want;        /* the new bytes; NULL decodes */
        const struct su_elf *shape; /* of the new file, when there is a module */
        bool omits_index; /* .eh_frame_hdr's table in `want` is the old one: a decoder makes it */
        const struct su_operation *operations; /* by `to`; positions as in delta/elf/elf.h */
        size_t n_operations;
};

/* Told how far the part's output is; true asks to stop. */
typedef bool (*su_codec_progress)(void *userdata, uint64_t done);

struct su_codec_sink {
        su_window_sink write;
        su_codec_progress progress; /* may be NULL */
        void *userdata;
};

struct su_codec;

int su_codec_new(struct su_coder *coder, const struct su_codec_sink *sink, struct su_codec **ret,
                 struct su_error *err);
void su_codec_free(struct su_codec *codec);
static inline void su_codec_free_p(struct su_codec **codec)
{
        su_codec_free(*codec);
}
#define su_auto_codec su_auto(su_codec_free_p)

struct su_model *su_codec_model(struct su_codec *codec);

/* DELTA when the coded bytes make no sense, CANCELLED when progress said so. */
int su_codec_part(struct su_codec *codec, const struct su_part *part, struct su_error *err);
