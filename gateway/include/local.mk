# SPDX-License-Identifier: Apache-2.0
nobase_include_HEADERS +=
EXTRA_DIST += gateway/include/gemel
