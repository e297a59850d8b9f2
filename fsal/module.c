// SPDX-License-Identifier: Apache-2.0
/* The plugin's entry: libfsalgemel.so, FSAL name GEMEL. */
#include "fsal.h"
#include "mdcache_ext.h"
#include "version.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/random.h>

static const char module_name[] = "GEMEL";

/* `strings libfsalgemel.so | grep ^gemel_fsal_built_for` shows which ganesha the plugin is for,
 * without loading it. */
GML_API_BEGIN
extern const char gemel_fsal_built_for[];
GML_API_END
const char gemel_fsal_built_for[] =
	"gemel_fsal_built_for " GANESHA_BUILT_FOR " " GANESHA_BUILT_PACKAGE " " GANESHA_BUILT_ID;

struct gml_fsal_module gml_fsal = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.module.fs_info =
		{
			.maxfilesize = GML_FILE_SIZE_MAX,
			.maxlink = GML_LINK_MAX,
			.maxnamelen = GML_NFS_NAME_MAX,
			.maxpathlen = MAXPATHLEN,
			.no_trunc = true,
			.chown_restricted = true,
			.case_insensitive = false,
			.case_preserving = true,
			.link_support = true,
			.symlink_support = true,
			/* ganesha keeps the locks: it is the only NFS server of the store */
			.lock_support = false,
			.named_attr = false,
			.unique_handles = true,
			.acl_support = FSAL_ACLSUPPORT_ALLOW | FSAL_ACLSUPPORT_DENY,
			.cansettime = true,
			.homogenous = true,
			.supported_attrs = GML_FSAL_ATTRS,
			.maxread = GML_FSAL_IO_MAX,
			.maxwrite = GML_FSAL_IO_MAX,
			.link_supports_permission_checks = true,
			.readdir_plus = true,
			.compliant_eof_behavior = true,
			.xattr_support = true,
			.expire_time_parent = -2, /* never trust a remembered parent */
		},
};

static fsal_status_t module_init_config(struct fsal_module *module, config_file_t config,
					struct config_error_type *err)
{
	display_fsinfo(module);
	return fsalstat(ERR_FSAL_NO_ERROR, 0);
}

/* ---- is this the ganesha that the plugin was compiled for? ---- */

/* The release in the soname of the library that `symbol` is in: "4.3" of libganesha_nfsd.so.4.3.
 * NULL if it has none. */
static const char *module_release(void *symbol)
{
	static const char prefix[] = "libganesha_nfsd.so.";
	const char *strings = NULL, *soname;
	ElfW(Xword) offset = 0;
	struct link_map *map;
	Dl_info info;

	if (dladdr1(symbol, &info, (void **)&map, RTLD_DL_LINKMAP) == 0)
		return NULL;
	for (const ElfW(Dyn) *dyn = map->l_ld; dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_STRTAB)
			strings = (const char *)dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_SONAME)
			offset = dyn->d_un.d_val;
	}
	if (strings == NULL || offset == 0)
		return NULL;
	soname = strings + offset;
	return strncmp(soname, prefix, sizeof(prefix) - 1) == 0 ? soname + sizeof(prefix) - 1
								: NULL;
}

/* True if an exported structure has the expected size. Detects a ganesha of the same release that
 * was built with other options. */
static bool module_same_size(void *symbol, size_t size)
{
	const ElfW(Sym) *sym = NULL;
	Dl_info info;

	return dladdr1(symbol, &info, (void **)&sym, RTLD_DL_SYMENT) != 0 && sym &&
	       sym->st_size == size;
}

/* Buffers pass both ways between ganesha and its plugins, so both must use the same malloc. The
 * loader binds a plugin to its own libraries first (RTLD_DEEPBIND), so a preloaded malloc would
 * serve ganesha alone. */
static bool module_same_malloc(void)
{
	void *program = dlopen(NULL, RTLD_LAZY);
	bool same = program == NULL || dlsym(program, "malloc") == (void *)(uintptr_t)malloc;
	if (program)
		(void)dlclose(program);
	return same;
}

static bool module_fits(void)
{
	const char *release = module_release((void *)(uintptr_t)register_fsal);
	if (release == NULL || strcmp(release, GANESHA_BUILT_FOR) != 0) {
		LogCrit(COMPONENT_FSAL,
			"libfsalgemel.so was built for nfs-ganesha %s, but this is %s: not loaded. "
			"Build it again "
			"against this one.",
			GANESHA_BUILT_FOR, release ? release : "of an unknown release");
		return false;
	}
	if (!module_same_size(&nfs_param, sizeof(nfs_param)) ||
	    !module_same_size(&mdcache_param, sizeof(mdcache_param))) {
		LogCrit(COMPONENT_FSAL,
			"libfsalgemel.so was built for nfs-ganesha %s, but this one has other "
			"build options: not "
			"loaded. Build it again against this one.",
			GANESHA_BUILT_PACKAGE);
		return false;
	}
	if (!module_same_malloc()) {
		LogCrit(COMPONENT_FSAL,
			"another malloc is preloaded, which plugins of ganesha do not see: "
			"libfsalgemel.so is not loaded");
		return false;
	}
	return true;
}

/* Where the machine has IPv6, ganesha opens IPv6 sockets only, and takes Bind_Addr for an address
 * of that kind, whatever it is: an IPv4 address, read this way, is "any", and the server would
 * listen on every interface. As an IPv4-mapped address it is taken as meant. At this point the
 * configuration is read and no socket is bound yet. */
static void module_bind_ipv4(void)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	int fd;
	if (nfs_param.core_param.bind_addr.ss_family != AF_INET)
		return;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return; /* ganesha finds the same, and opens IPv4 sockets */
	close(fd);
	memcpy(&v4, &nfs_param.core_param.bind_addr, sizeof(v4));
	v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&v6.sin6_addr.s6_addr[12], &v4.sin_addr, sizeof(v4.sin_addr));
	memcpy(&nfs_param.core_param.bind_addr, &v6, sizeof(v6));
}

/* Client ids and stateids begin with the server's epoch, which is the second of its start. Two
 * servers that start in one second give equal ids, and a client takes them for one server; a server
 * that starts twice in a second accepts old ids as its own. A random epoch distinguishes them.
 * Epochs are compared for equality only, and no client has one yet. */
static void module_epoch(void)
{
	uint32_t epoch;
	if (nfs_ServerEpoch != nfs_ServerBootTime.tv_sec) /* the command line says it */
		return;
	if (getrandom(&epoch, sizeof(epoch), 0) == sizeof(epoch))
		nfs_ServerEpoch = (time_t)epoch;
}

MODULE_INIT void gml_fsal_init(void);
void gml_fsal_init(void)
{
	/* Failing to register is not enough: ganesha would continue and serve an empty root. */
	if (!module_fits())
		LogFatal(COMPONENT_FSAL,
			 "the GEMEL FSAL cannot be loaded: the lines above have the reason");
	module_bind_ipv4();
	module_epoch();
	gml_fsal_wire_hook();
	gml_fsal_fattr_hook();
	if (register_fsal(&gml_fsal.module, module_name, FSAL_MAJOR_VERSION, FSAL_MINOR_VERSION,
			  FSAL_ID_NO_PNFS) != 0)
		return; /* it has logged why */
	gml_fsal.module.m_ops.init_config = module_init_config;
	gml_fsal.module.m_ops.create_export = gml_fsal_create_export;
	gml_fsal.module.m_ops.update_export = gml_fsal_update_export;
	gml_fsal_handle_ops(&gml_fsal.handle_ops);
}

MODULE_FINI void gml_fsal_fini(void);
void gml_fsal_fini(void)
{
	gml_fsal_fattr_unhook();
	gml_fsal_wire_unhook();
	if (gml_fsal.module.m_ops.create_export && unregister_fsal(&gml_fsal.module) != 0)
		LogCrit(COMPONENT_FSAL, "the GEMEL FSAL is unloaded while in use");
}
