dist_pkgdata_DATA += conf/ganesha.conf.in
