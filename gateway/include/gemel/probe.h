// SPDX-License-Identifier: Apache-2.0
/* Does a server answer? For programs that watch one from outside.
 *
 * `address` is an IPv4 or IPv6 address as text; 0.0.0.0 and :: stand for this machine. The labels
 * of the contracts are explained in README.md here. */
#ifndef GEMEL_PROBE_H
#define GEMEL_PROBE_H

#include <stdbool.h>
#include <gemel/visibility.h>

GML_API_BEGIN

/* Send one HTTP request in the clear and wait for the first bytes of an answer.
 * Errors: false: no answer. Threads: any. Blocks: network, about `milliseconds` at most. Durable:
 * n/a. On failure: nothing is kept open. */
bool gml_probe_s3(const char *address, unsigned port, int milliseconds);
/* Does anything accept a TCP connection there?
 * Errors: false: no. Threads: any. Blocks: network, about `milliseconds` at most. Durable: n/a. On
 * failure: nothing is kept open. */
bool gml_probe_tcp(const char *address, unsigned port, int milliseconds);
/* Send one NULL call of NFSv4 and wait for its accepted reply (RFC 5531; RFC 8881 17.1).
 * Errors: false: no such reply. Threads: any. Blocks: network, about `milliseconds` at most.
 * Durable: n/a. On failure: nothing is kept open. */
bool gml_probe_nfs(const char *address, unsigned port, int milliseconds);
/* Can the port be bound now?
 * Errors: 0, or an errno value. Threads: any. Blocks: no. Durable: n/a. On failure: nothing is kept
 * open. */
int gml_probe_bind(const char *address, unsigned port);

GML_API_END

#endif
