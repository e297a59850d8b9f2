dist_man_MANS += man/gemel.8
