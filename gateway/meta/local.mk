libgemel_la_SOURCES += gateway/meta/err.c
