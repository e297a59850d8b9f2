nobase_include_HEADERS +=
EXTRA_DIST += gateway/include/gemel
