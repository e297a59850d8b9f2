// SPDX-License-Identifier: Apache-2.0
/* Values of extended attributes on the wire. ganesha decodes and encodes none much longer than 8
 * KiB: it rejects a SETXATTR with a longer one as garbage, which a user of the client sees as EIO,
 * and a GETXATTR with a longer one would end the connection. Linux allows 64 KiB.
 *
 * The functions that decode a COMPOUND and encode its results are in a table of the library, which
 * every request points to. Loading the plugin puts ours there, before the first request. Ours call
 * ganesha's and add only what those cannot do: a COMPOUND that cannot be decoded is decoded again,
 * with longer values allowed; results that hold a long value are encoded here. The table's form
 * belongs to one release of ganesha: module.c refuses any other. */
#include "fsal.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <sys/mman.h>

/* a longer value than the core accepts is decoded, and refused as too big */
#define WIRE_ARGS_MAX XDR_BYTES_MAXLEN
/* ganesha's own limits: xdr_utf8string_decode accepts less than XDR_STRING_MAXLEN, xdr_bytes_encode
 * at most that. */
#define WIRE_DECODE_MAX (XDR_STRING_MAXLEN - 1)
#define WIRE_ENCODE_MAX XDR_STRING_MAXLEN
_Static_assert(WIRE_ARGS_MAX > GML_XATTR_VALUE_MAX && WIRE_ENCODE_MAX < GML_XATTR_VALUE_MAX,
	       "ganesha's own limits are below the core's, and those here above");

typedef bool (*wire_decode_fn)(XDR *xdrs, COMPOUND4args *args);
typedef bool (*wire_encode_fn)(XDR *xdrs, struct COMPOUND4res_extended **res);

static wire_decode_fn wire_decode_before;
static wire_encode_fn wire_encode_before;
static nfs_function_desc_t *wire_hooked;

static bool wire_setxattr_args(XDR *xdrs, SETXATTR4args *args)
{
	return inline_xdr_enum(xdrs, (enum_t *)&args->sxa_option) &&
	       xdr_component4(xdrs, &args->sxa_key) &&
	       inline_xdr_utf8string(xdrs, &args->sxa_value, WIRE_ARGS_MAX);
}

static bool wire_argop(XDR *xdrs, nfs_argop4 *op)
{
	u_int start = XDR_GETPOS(xdrs);
	uint32_t number;

	if (!XDR_GETUINT32(xdrs, &number))
		return false;
	if (number != NFS4_OP_SETXATTR)
		return XDR_SETPOS(xdrs, start) && xdr_nfs_argop4(xdrs, op);
	op->argop = NFS4_OP_SETXATTR;
	return wire_setxattr_args(xdrs, &op->nfs_argop4_u.opsetxattr);
}

static bool wire_decode(XDR *xdrs, COMPOUND4args *args)
{
	u_int start;

	if (xdrs->x_op != XDR_DECODE)
		return wire_decode_before(xdrs, args);
	start = XDR_GETPOS(xdrs);
	if (wire_decode_before(xdrs, args))
		return true;
	(void)xdr_free((xdrproc_t)wire_decode_before, args);
	memset(args, 0, sizeof(*args));
	return XDR_SETPOS(xdrs, start) && xdr_utf8str_cs(xdrs, &args->tag) &&
	       inline_xdr_u_int32_t(xdrs, &args->minorversion) &&
	       xdr_array(xdrs, (char **)&args->argarray.argarray_val, &args->argarray.argarray_len,
			 XDR_ARRAY_MAXLEN, sizeof(nfs_argop4), (xdrproc_t)wire_argop);
}

static xattrvalue4 *wire_long_value(nfs_resop4 *op)
{
	GETXATTR4res *res = &op->nfs_resop4_u.opgetxattr;
	xattrvalue4 *value = &res->GETXATTR4res_u.resok4.gxr_value;

	if (op->resop != NFS4_OP_GETXATTR || res->status != NFS4_OK ||
	    value->utf8string_len <= WIRE_ENCODE_MAX)
		return NULL;
	return value;
}

static bool wire_resop(XDR *xdrs, nfs_resop4 *op)
{
	xattrvalue4 *value = wire_long_value(op);

	if (value == NULL)
		return xdr_nfs_resop4(xdrs, op);
	gml_assert(value->utf8string_len <= GML_XATTR_VALUE_MAX); /* gml_fsal_wire_value_max */
	return XDR_PUTUINT32(xdrs, NFS4_OP_GETXATTR) && XDR_PUTUINT32(xdrs, NFS4_OK) &&
	       inline_xdr_bytes(xdrs, &value->utf8string_val, &value->utf8string_len,
				GML_XATTR_VALUE_MAX);
}

static bool wire_encode(XDR *xdrs, struct COMPOUND4res_extended **res)
{
	COMPOUND4res *all = &(*res)->res_compound4;
	bool any = false;

	for (u_int i = 0; xdrs->x_op == XDR_ENCODE && !any && i < all->resarray.resarray_len; i++)
		any = wire_long_value(&all->resarray.resarray_val[i]) != NULL;
	if (!any)
		return wire_encode_before(xdrs, res);
	return xdr_nfsstat4(xdrs, &all->status) && xdr_utf8str_cs(xdrs, &all->tag) &&
	       xdr_array(xdrs, (char **)&all->resarray.resarray_val, &all->resarray.resarray_len,
			 XDR_ARRAY_MAXLEN, sizeof(nfs_resop4), (xdrproc_t)wire_resop);
}

/* The protection of the page at `address` as /proc/self/maps has it; -1: not found. */
static int wire_protection(uintptr_t address)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t from, to;
	char line[4096], mode[5];
	int prot = -1;
	while (maps != NULL && prot < 0 && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, mode) == 3 &&
		    from <= address && address < to)
			prot = (mode[0] == 'r' ? PROT_READ : 0) |
			       (mode[1] == 'w' ? PROT_WRITE : 0) | (mode[2] == 'x' ? PROT_EXEC : 0);
	if (maps != NULL)
		(void)fclose(maps);
	return prot;
}

/* Puts the two functions into the table. The loader has made it read-only, so its pages are made
 * writable meanwhile and get their former protection afterwards. */
static bool wire_replace(nfs_function_desc_t *desc, xdrproc_t decode, xdrproc_t encode)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)desc & ~(page - 1);
	size_t len = (uintptr_t)(desc + 1) - start;
	int prot = wire_protection(start);
	if (prot < 0 || prot != wire_protection((uintptr_t)(desc + 1) - 1) ||
	    mprotect((void *)start, len, prot | PROT_READ | PROT_WRITE) != 0)
		return false;
	__atomic_store_n(&desc->xdr_decode_func, decode, __ATOMIC_RELEASE);
	__atomic_store_n(&desc->xdr_encode_func, encode, __ATOMIC_RELEASE);
	(void)mprotect((void *)start, len, prot);
	return true;
}

/* ---- ganesha's table, which its library does not export: found by the name that stands in it - */

#define WIRE_NAME "NFS4_COMP"

struct wire_search {
	ElfW(Addr) base; /* of the library */
	nfs_function_desc_t *found;
	unsigned hits;
};

/* Do `len` bytes at `address` lie in a segment of the library that has the flags `want` of those in
 * `mask`? */
static bool wire_within(const struct dl_phdr_info *info, uintptr_t address, size_t len,
			ElfW(Word) mask, ElfW(Word) want)
{
	for (ElfW(Half) i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + part->p_vaddr;
		if (part->p_type == PT_LOAD && (part->p_flags & mask) == want && address >= start &&
		    address - start < part->p_memsz && len <= part->p_memsz - (address - start))
			return true;
	}
	return false;
}

static bool wire_is_entry(const struct dl_phdr_info *info, const nfs_function_desc_t *desc)
{
	const uintptr_t functions[] = {
		(uintptr_t)desc->service_function, (uintptr_t)desc->free_function,
		(uintptr_t)desc->xdr_decode_func, (uintptr_t)desc->xdr_encode_func};
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!wire_within(info, functions[i], 1, PF_X, PF_X))
			return false;
	return wire_within(info, (uintptr_t)desc->funcname, sizeof(WIRE_NAME), PF_R | PF_W, PF_R) &&
	       memcmp(desc->funcname, WIRE_NAME, sizeof(WIRE_NAME)) == 0;
}

/* The table is constant but for its addresses, so it lies in what the loader makes read-only
 * (PT_GNU_RELRO). */
static int wire_search(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct wire_search *search = arg;
	if (info->dlpi_addr != search->base)
		return 0;
	for (ElfW(Half) i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + part->p_vaddr, end = at + part->p_memsz;
		for (; part->p_type == PT_GNU_RELRO && at + sizeof(nfs_function_desc_t) <= end;
		     at += sizeof(void *))
			if (wire_is_entry(info, (const nfs_function_desc_t *)at)) {
				search->found = (nfs_function_desc_t *)at;
				search->hits++;
			}
	}
	return 1;
}

static nfs_function_desc_t *wire_find(void)
{
	struct wire_search search = {.hits = 0};
	struct link_map *map;
	Dl_info info;

	if (dladdr1((void *)(uintptr_t)register_fsal, &info, (void **)&map, RTLD_DL_LINKMAP) == 0)
		return NULL;
	search.base = map->l_addr;
	(void)dl_iterate_phdr(wire_search, &search);
	return search.hits == 1 ? search.found : NULL;
}

void gml_fsal_wire_hook(void)
{
	nfs_function_desc_t *desc = wire_find();
	gml_assert(wire_hooked == NULL); /* else ours would call themselves */
	if (desc != NULL) {
		wire_decode_before = (wire_decode_fn)desc->xdr_decode_func;
		wire_encode_before = (wire_encode_fn)desc->xdr_encode_func;
		if (wire_replace(desc, (xdrproc_t)wire_decode, (xdrproc_t)wire_encode)) {
			wire_hooked = desc;
			return;
		}
	}
	LogWarn(COMPONENT_FSAL,
		"clients cannot set values of extended attributes of more than %d bytes, nor get "
		"any of more than %d: "
		"ganesha's table of requests %s. Report this, with the version of the package",
		WIRE_DECODE_MAX, WIRE_ENCODE_MAX, desc ? "cannot be changed" : "was not found");
}

void gml_fsal_wire_unhook(void)
{
	nfs_function_desc_t *desc = wire_hooked;
	if (desc != NULL &&
	    wire_replace(desc, (xdrproc_t)wire_decode_before, (xdrproc_t)wire_encode_before))
		wire_hooked = NULL;
}

size_t gml_fsal_wire_value_max(void)
{
	return wire_hooked != NULL ? GML_XATTR_VALUE_MAX : WIRE_ENCODE_MAX;
}
