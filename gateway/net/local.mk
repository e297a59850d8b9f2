libgemel_la_SOURCES += gateway/net/probe.c
