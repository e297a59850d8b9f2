#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prepare nginx's generated headers (ngx_auto_config.h and its kind), which no package ships: one run of nginx's configure with the flags of the nginx that is installed, so that the
# module's signature equals that binary's by construction.
# usage: headers.sh NGINX NGINX_SRC OUTDIR(absolute)
set -eu
nginx=$1 src=$2 out=$3

if [ -r "$src/conf_flags" ]; then # Debian's nginx-dev
	# shellcheck disable=SC1091
	. "$src/conf_flags"
else # a source tree: ask the binary
	arguments=$("$nginx" -V 2>&1 | sed -n 's/^configure arguments: //p')
	eval "NGX_CONF_FLAGS=( $arguments )"
fi
flags=()
for flag in "${NGX_CONF_FLAGS[@]}"; do
	case $flag in
	--add-module=* | --add-dynamic-module=* | --with-*=dynamic | --builddir=*) ;; # other modules do not matter to the signature
	*) flags+=("$flag") ;;
	esac
done
mkdir -p "$out"
# configure wants the source as its working directory; a tree that cannot be written to works with --builddir only where configure was made for it (Debian), else a copy is used.
work=$src
if [ ! -r "$src/conf_flags" ]; then
	work=$out/src
	rm -rf "$work"
	cp -r "$src" "$work"
fi
if ! (cd "$work" && ./configure "${flags[@]}" --builddir="$out") >"$out/configure.log" 2>&1; then
	tail -n 20 "$out/configure.log" >&2
	echo "nginx's configure failed; see $out/configure.log" >&2
	rm -f "$out/ngx_auto_config.h"
	exit 1
fi
test -s "$out/ngx_auto_config.h"
