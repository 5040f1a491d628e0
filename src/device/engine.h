/* The engine: one device, one operation at a time. Opens the OS tree, holds the lock, settles what
 * a kill left behind, and keeps what the operations (offer.h, change.h, review.h) work with. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "device/config.h"
#include "device/state.h"
#include "fetch/fetch.h"
#include "inventory/os.h"
#include "restart/units.h"
#include "transparency/policy.h"
#include "trust/client.h"

struct su_engine;

/* Told of each event (events.h) when it has happened. */
typedef void (*su_event_listener)(const struct su_engine *engine, const json_t *event);

struct su_engine_options {
        const char *root;           /* path of the OS tree; NULL: "/" */
        const char *repository;     /* overrides suture.conf; may be NULL */
        const char *trusted_root;   /* a file of this machine; overrides suture.conf; may be NULL */
        const char *fetcher;        /* the socket of one that is a service; NULL: one of ours */
        bool read_only;             /* look, change nothing, need no privilege */
        bool without_os;            /* must work whatever is wrong with os-release */
        bool without_config;        /* the same with suture.conf: the defaults hold */
        unsigned patience_s;        /* how long to wait for another instance to end */
        su_event_listener listener; /* may be NULL */
};

struct su_engine {
        char *root; /* absolute, no trailing slash but for "/" */
        int root_fd;
        int state_fd; /* -EBADF: nothing was ever stored, and read_only */
        int lock_fd;
        int trust_fd; /* the trusted metadata's directory */
        bool read_only;
        struct su_os os;
        struct su_config config;
        const char *trusted_root; /* the options' */
        const char *fetcher;      /* the same */
        struct su_state state;
        int64_t mounted;          /* the generation whose overlay lies on /usr; 0: none */
        int64_t opt_mounted;      /* the same on /opt */
        bool disabled;            /* by suture.disable on the kernel's command line */
        struct su_error conflict; /* why /usr cannot take an overlay; code SU_OK: it can */
        const struct su_units *units;
        su_event_listener listener;
        struct su_fetch *fetch;           /* after su_engine_connect() */
        su_fetch_progress fetch_progress; /* for su_engine_connect(); may be NULL */
        void *fetch_userdata;
        uint64_t looked_us; /* when it was looked last whether somebody asks for the lock */
        struct su_trust *trust;
        struct su_policy *log_policy; /* the same; NULL: nothing need be logged */
};

/* PERMISSION unless root (or read_only); BUSY when another instance works on the tree. */
int su_engine_open(const struct su_engine_options *options, struct su_engine **ret,
                   struct su_error *err);
void su_engine_free(struct su_engine *engine);

/* Reach the repository's trusted metadata: CONFIG when no repository is configured. No request yet.
 */
int su_engine_connect(struct su_engine *engine, struct su_error *err);
struct su_transport su_engine_transport(struct su_engine *engine);

/* "12 (a)": the OS's version with the letter of what is on /usr; in fresh memory. */
int su_engine_version(const struct su_engine *engine, const struct su_level *level, char **ret,
                      struct su_error *err);

/* The level on /usr, as far as it belongs to this baseline; "" for none. */
struct su_level su_engine_level(const struct su_engine *engine);

static inline void su_engine_free_p(struct su_engine **engine)
{
        su_engine_free(*engine);
}
#define su_auto_engine su_auto(su_engine_free_p)
