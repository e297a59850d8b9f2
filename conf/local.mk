dist_pkgdata_DATA += conf/gemel.conf conf/ganesha.conf.in
