// SPDX-License-Identifier: Apache-2.0
/* The certificate of the S3 server and its key. */
#ifndef GML_CMD_TLS_H
#define GML_CMD_TLS_H

#include <stdbool.h>

/* Reads two PEM files. NULL if the first begins with a certificate, and the second has its key,
 * without a passphrase; else what is wrong, as static text, and in *key_out whether it is the
 * second file. nginx judges the rest (the chain, the strength). */
const char *tls_wrong(const char *certificate, const char *key, bool *key_out);

#endif
