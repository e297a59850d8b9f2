// SPDX-License-Identifier: Apache-2.0
/* XML documents, written. Text is escaped; bytes that XML 1.0 cannot carry (and invalid UTF-8)
 * become U+FFFD: clients that need such keys ask for encoding-type=url. Memory errors are
 * remembered: check `failed` once at the end. One thread at a time. */
#ifndef GML_S3_XML_WRITE_H
#define GML_S3_XML_WRITE_H

#include <stdbool.h>
#include <gemel/types.h>

#define S3_XML_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

struct s3_xml {
	char *buf;
	size_t len, cap;
	unsigned open; /* elements begun and not ended */
	bool failed;
};
void s3_xml_release(struct s3_xml *xml);

/* The XML declaration and <root>, with S3's namespace or without. */
void s3_xml_begin(struct s3_xml *xml, const char *root, bool namespaced);
void s3_xml_open(struct s3_xml *xml, const char *tag);
void s3_xml_close(struct s3_xml *xml, const char *tag);
/* <tag>text</tag> */
void s3_xml_text(struct s3_xml *xml, const char *tag, struct gml_span text);
void s3_xml_string(struct s3_xml *xml, const char *tag, const char *text);
void s3_xml_number(struct s3_xml *xml, const char *tag, uint64_t value);
void s3_xml_bool(struct s3_xml *xml, const char *tag, bool value);
void s3_xml_date(struct s3_xml *xml, const char *tag, int64_t ns);
void s3_xml_etag(struct s3_xml *xml, const char *tag, const char *etag); /* adds the quotes */
/* Percent-encoded when `url`, else as text. */
void s3_xml_key(struct s3_xml *xml, const char *tag, struct gml_span key, bool url);
void s3_xml_raw(struct s3_xml *xml,
		struct gml_span bytes); /* as it is: elements made elsewhere by this writer */
/* Well-formed UTF-8, and nothing that XML 1.0 cannot carry? */
bool s3_xml_carries(struct gml_span text);

#endif
