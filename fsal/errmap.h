// SPDX-License-Identifier: Apache-2.0
/* The one mapping of core errors to ganesha's. */
#ifndef GML_FSAL_ERRMAP_H
#define GML_FSAL_ERRMAP_H

/* SERVERFAULT for codes outside the table and those that no NFS operation can meet. Pure. */
fsal_errors_t gml_fsal_error(int rc);

#endif
