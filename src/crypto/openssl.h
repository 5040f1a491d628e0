/* What the sources of this room share of OpenSSL; not for other rooms, which do not see its
 * headers. */
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "crypto/public_key.h"

static inline void su_pkey_free_p(EVP_PKEY **pkey)
{
        EVP_PKEY_free(*pkey);
}

static inline void su_bio_free_p(BIO **bio)
{
        BIO_free(*bio);
}

static inline void su_md_context_free_p(EVP_MD_CTX **context)
{
        EVP_MD_CTX_free(*context);
}

/* Whether a key is of one of the types that are known here, and of which. */
bool su_pkey_type(const EVP_PKEY *pkey, enum su_key_type *ret);
