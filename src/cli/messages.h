/* What the journal is told: one row a message, its id and its priority.
 *
 * The ids are for ever, as exit statuses are: scripts and alarms select by them. Each has an entry
 * in data/suture.catalog, which says to a person what it means and what can be done.
 */
#pragma once

#include <syslog.h>

/*         name            id                                  priority */
#define SU_MESSAGE_TABLE(X)                                                                        \
        X(INSTALLED, "6e584210664b4417994371f4361db285", LOG_NOTICE)                               \
        X(STAGED, "4cc840ccd37848a28df24e634e640ae4", LOG_INFO)                                    \
        X(REMOVED, "41f698a56b644637a217bcf2b567f7d6", LOG_NOTICE)                                 \
        X(RESTARTED, "ced5675439a2407abbbcdaeabb38f469", LOG_INFO)                                 \
        X(RESTART_WANTED, "33f0f43b3da642ccb47ed084f524ac72", LOG_NOTICE)                          \
        X(QUARANTINED, "092a179faf0a42e88b07a174980dbeb8", LOG_WARNING)                            \
        X(TAKEN_BACK, "7a65e13064cc49fe8dbdcad4ac92c86e", LOG_WARNING)                             \
        X(RECALLED, "f523b64627ae4d329042a0a7da5a6098", LOG_WARNING)                               \
        X(RECALLED_LEFT, "4da692f6bd104a118fdcd84ac04d497e", LOG_NOTICE)                           \
        X(FELL_BACK, "592d35b513b6453c92b1408aae6d7158", LOG_ERR)                                  \
        X(RETIRED, "e016dbe58950472baed58a40418bd90f", LOG_INFO)                                   \
        X(LEFT_OUT, "2c286dd09d26484781f26589d90a91f5", LOG_WARNING)                               \
        X(REPLACED, "6c55d7615e4b46358e17afe74c0207a7", LOG_INFO)                                  \
        X(CHANGE_FAILED, "9fc90a101a8c497bb2985b42c244b41a", LOG_ERR)                              \
        X(CHECK_FAILED, "c0f5ba9b50c74960bdafe72aba124a45", LOG_WARNING)                           \
        X(TRUST_REFUSED, "3cc9d5037d2f4251b40bea93e3405f54", LOG_ERR)

enum su_message {
#define SU_MESSAGE_ENUM(name, id, priority) SU_MESSAGE_##name,
        SU_MESSAGE_TABLE(SU_MESSAGE_ENUM)
#undef SU_MESSAGE_ENUM
};
