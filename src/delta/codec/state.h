/* Within this room: what the procedures of one codec share. */
#pragma once

#include "delta/codec/codec.h"
#include "delta/codec/frame_index.h"
#include "delta/codec/memory.h"
#include "delta/elf/x86.h"

#define SU_CHUNK 512 /* bytes of a copy that are as predicted, or not, together */
#define SU_STRIPE 32 /* bytes of a chunk that differ somewhere, or not */
#define SU_BLOCKS_KEPT 16

/* What kinds of numbers are coded: contexts of one never meet those of another. */
enum su_number {
        SU_NUMBER_SEGMENTS = 1,
        SU_NUMBER_SEGMENT,
        SU_NUMBER_OPERATIONS,
        SU_NUMBER_INSERT,
        SU_NUMBER_SHIFT,
        SU_NUMBER_SHIFT_HOME,
        SU_NUMBER_LENGTH,
        SU_NUMBER_LINES,
        SU_NUMBER_TARGET_REFERENCE, /* and one for each kind of reference from here on */
};

/* Sets of weights, besides those of numbers. */
enum su_set {
        SU_SET_FLAGS = 900,
        SU_SET_LINES = 920,
        SU_SET_BYTES = 930,
        SU_SET_DIRTY = 950,
        SU_SET_INSERT = 1000, /* by field, and byte of the field */
        SU_SET_A64 = 1100,    /* by byte of the word */
        SU_SET_FRAMES = 1110,
        SU_SET_TARGETS = 1200, /* 3 classes of 4 states of 32 bits */
};

struct su_targets {
        uint32_t *addresses[3]; /* where old calls, jumps and loads go now, sorted */
        size_t n[3];
        uint32_t last[3];
        unsigned bits; /* of an address; 0: not to be had */
};

struct su_codec {
        struct su_coder *coder;
        struct su_model *model;
        struct su_codec_sink sink;
        struct su_window window;

        struct su_block *blocks[SU_BLOCKS_KEPT]; /* of the present module, by number */
        uint64_t block_numbers[SU_BLOCKS_KEPT];

        const struct su_part *part;
        struct su_elf shape; /* of the new file: segments alone */
        struct su_operation *operations;
        size_t n_operations;
        uint64_t inserted; /* bytes */
        bool omits_index;
        struct su_frame_index index;
        uint64_t old_index, old_index_end; /* offsets of the old table */
        struct su_projection projection;
        struct su_memory memory;
        uint64_t place_start, place_end; /* of the section that was last looked up */
        uint64_t base, base_now;         /* the last base that was projected */
        bool base_known;
        struct su_targets targets;

        struct su_adaptive chunk_states[256];
        struct su_adaptive reference_states[SU_REFERENCE_KINDS][4][4][4][16];
        struct su_adaptive choice_states[SU_REFERENCE_KINDS][16];
        struct su_adaptive stripe_states[2048];
        uint8_t misses[SU_REFERENCE_KINDS]; /* history, the last in the lowest bit */
        int64_t last_corrections[SU_REFERENCE_KINDS];
        uint8_t line_misses[256], all_line_misses;
        int64_t line_changes[2];
        uint64_t last_line;
        uint8_t became[16][256]; /* what a byte of each field was last replaced by */
        uint8_t last_change;
        struct {
                uint64_t record, entry, previous; /* offsets in the new file */
                bool begun, entry_known, previous_known;
        } frames;
};

/* False in an encoder that is out of memory and in a decoder whose input is at its end. */
int su_codec_check(const struct su_codec *codec, struct su_error *err);

static inline bool su_codec_encodes(const struct su_codec *codec)
{
        return codec->part->want;
}

int su_codec_shape(struct su_codec *codec, struct su_error *err);
/* After the operations: where the index will be. */
int su_codec_find_index(struct su_codec *codec, struct su_error *err);
int su_codec_fill_index(struct su_codec *codec, struct su_error *err);
int su_codec_operations(struct su_codec *codec, struct su_error *err);
int su_codec_copy(struct su_codec *codec, const struct su_operation *operation,
                  struct su_error *err);

/* Insert up to `end`, between what ends at old position `before` and begins at `after`. */
struct su_gap {
        uint64_t start, end;
        uint64_t before, after;
};

int su_codec_insert(struct su_codec *codec, const struct su_gap *gap, struct su_error *err);
/* The same for call frame information. */
int su_codec_insert_frames(struct su_codec *codec, const struct su_gap *gap, struct su_error *err);
/* Lists of targets, and a rehearsal on old code, before the first insertion. */
int su_codec_prepare_inserts(struct su_codec *codec, struct su_error *err);

/* Learn from old code what code is like. */
void su_codec_rehearse(struct su_codec *codec);

/* One address, told by where the old ones of its class are. */
uint64_t su_codec_target(struct su_codec *codec, unsigned class, uint64_t address, uint32_t a,
                         uint32_t b, unsigned low_bits);

/* The block that holds an old offset, until the next question. NULL: memory is short, or there is
 * no module. */
const struct su_block *su_codec_block(struct su_codec *codec, uint64_t offset);
uint8_t su_codec_field(struct su_codec *codec, uint64_t offset);
bool su_codec_is_code(struct su_codec *codec, uint64_t offset);

/* Tell the coder, for its account, in which kind of section an old offset lies. */
void su_codec_note_place(struct su_codec *codec, uint64_t offset);

/* Where the value of a reference's kind - address, offset - is now. */
struct su_forecast {
        uint64_t value;
        bool covered; /* by a copy */
        bool known;   /* the place exists in the new file */
        const struct su_span *span;
};

struct su_forecast su_codec_forecast(struct su_codec *codec, enum su_reference_kind kind,
                                     uint64_t target);
