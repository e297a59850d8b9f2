// SPDX-License-Identifier: Apache-2.0
/* Tables of ganesha's library that it does not export: found by the names that stand in them, and
 * changed when the plugin is loaded. Their forms belong to one release of ganesha: module.c refuses
 * any other. */
#include "fsal.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

/* The protection of the page at `address` as /proc/self/maps has it; -1: not found. */
static int table_protection(uintptr_t address)
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

/* The loader has made the tables read-only, so their pages are made writable meanwhile and get
 * their former protection afterwards. */
bool gml_fsal_table_write(void *at, const void *bytes, size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)at & ~(page - 1);
	size_t whole = (uintptr_t)at + len - start;
	int prot = table_protection(start);
	if (prot < 0 || prot != table_protection((uintptr_t)at + len - 1) ||
	    mprotect((void *)start, whole, prot | PROT_READ | PROT_WRITE) != 0)
		return false;
	memcpy(at, bytes, len);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	(void)mprotect((void *)start, whole, prot);
	return true;
}

/* Do `len` bytes at `address` lie in a segment of the library that has the flags `want` of those in
 * `mask`? */
static bool table_within(const struct dl_phdr_info *info, uintptr_t address, size_t len,
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

bool gml_fsal_table_is_code(const struct dl_phdr_info *info, uintptr_t address)
{
	return table_within(info, address, 1, PF_X, PF_X);
}

bool gml_fsal_table_is_text(const struct dl_phdr_info *info, const char *p, const char *text)
{
	size_t len = strlen(text) + 1;
	return table_within(info, (uintptr_t)p, len, PF_R | PF_W, PF_R) &&
	       memcmp(p, text, len) == 0;
}

struct table_search {
	ElfW(Addr) base; /* of the library */
	size_t size;
	bool (*is)(const struct dl_phdr_info *info, const void *at);
	void *found;
	unsigned hits;
};

/* The tables are constant but for their addresses, so they lie in what the loader makes read-only
 * (PT_GNU_RELRO). */
static int table_search(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct table_search *search = arg;
	if (info->dlpi_addr != search->base)
		return 0;
	for (ElfW(Half) i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + part->p_vaddr, end = at + part->p_memsz;
		for (; part->p_type == PT_GNU_RELRO && at + search->size <= end;
		     at += sizeof(void *))
			if (search->is(info, (const void *)at)) {
				search->found = (void *)at;
				search->hits++;
			}
	}
	return 1;
}

void *gml_fsal_table_find(size_t size, bool (*is)(const struct dl_phdr_info *info, const void *at))
{
	struct table_search search = {.size = size, .is = is};
	struct link_map *map;
	Dl_info info;

	if (dladdr1((void *)(uintptr_t)register_fsal, &info, (void **)&map, RTLD_DL_LINKMAP) == 0)
		return NULL;
	search.base = map->l_addr;
	(void)dl_iterate_phdr(table_search, &search);
	return search.hits == 1 ? search.found : NULL;
}
