// SPDX-License-Identifier: Apache-2.0
#include "auth/access/key.h"

struct key_row {
	struct gml_span name;
	enum auth_key_type type;
	enum auth_key_source source;
	bool many;
};

#define KEY_ROW(id, name, type, source, many)                                                      \
	[AUTH_KEY_##id] = {GML_LIT(name), AUTH_KEY_##type, AUTH_KEY_##source, many},
static const struct key_row key_rows[] = {AUTH_KEYS(KEY_ROW)};
#undef KEY_ROW

/* AWS's global keys, and those of S3, for which Gemel has nothing. */
static const char *const key_foreign[] = {
	"aws:AssumedRoot",
	"aws:CalledVia",
	"aws:CalledViaFirst",
	"aws:CalledViaLast",
	"aws:Ec2InstanceSourceVpc",
	"aws:Ec2InstanceSourcePrivateIPv4",
	"aws:FederatedProvider",
	"aws:MultiFactorAuthAge",
	"aws:PrincipalIsAWSService",
	"aws:PrincipalOrgID",
	"aws:PrincipalOrgPaths",
	"aws:PrincipalServiceName",
	"aws:PrincipalServiceNamesList",
	"aws:ResourceOrgID",
	"aws:ResourceOrgPaths",
	"aws:SourceAccount",
	"aws:SourceArn",
	"aws:SourceIdentity",
	"aws:SourceOrgID",
	"aws:SourceOrgPaths",
	"aws:SourceVpc",
	"aws:SourceVpcArn",
	"aws:SourceVpce",
	"aws:ViaAWSService",
	"aws:VpceAccount",
	"aws:VpceOrgID",
	"aws:VpceOrgPaths",
	"aws:VpcSourceIp",
	"ec2:RoleDelivery",
	"ec2:SourceInstanceArn",
	"s3:AccessGrantScope",
	"s3:AccessGrantsInstanceArn",
	"s3:AccessGrantsLocationScope",
	"s3:AccessPointNetworkOrigin",
	"s3:DataAccessPointAccount",
	"s3:DataAccessPointArn",
	"s3:InventoryAccessibleOptionalFields",
	"s3:destinationRegion",
	"s3:isReplicationPauseRequest",
	"s3:x-amz-bucket-namespace",
};

static bool key_names_tag(const struct key_row *row)
{
	return gml_span_at(row->name, row->name.len - 1) == '/';
}

enum auth_key auth_key_find(struct gml_span name)
{
	for (int key = 0; key < AUTH_KEY_OTHER; key++) {
		const struct key_row *row = &key_rows[key];
		if (key_names_tag(row)
			    ? name.len > row->name.len && gml_span_starts_nocase(name, row->name)
			    : gml_span_equal_nocase(name, row->name))
			return (enum auth_key)key;
	}
	return AUTH_KEY_OTHER;
}

const char *auth_key_name(enum auth_key key)
{
	return key_rows[key].name.ptr;
}

enum auth_key_type auth_key_type(enum auth_key key)
{
	return key_rows[key].type;
}

enum auth_key_source auth_key_source(enum auth_key key)
{
	return key_rows[key].source;
}

bool auth_key_many(enum auth_key key)
{
	return key_rows[key].many;
}

struct gml_span auth_key_tag(enum auth_key key, struct gml_span name)
{
	if (key == AUTH_KEY_OTHER || !key_names_tag(&key_rows[key]))
		return gml_span_of(NULL, 0);
	return gml_span_from(name, key_rows[key].name.len);
}

bool auth_key_foreign(struct gml_span name)
{
	for (size_t i = 0; i < sizeof(key_foreign) / sizeof(key_foreign[0]); i++)
		if (gml_span_is_nocase(name, key_foreign[i]))
			return true;
	return false;
}

bool auth_key_valid(struct gml_span name)
{
	struct gml_span rest = name, prefix = gml_span_cut(&rest, ':');
	if (prefix.len == 0 || rest.len == 0)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)gml_span_at(name, i);
		if (c < ' ' || c == '{' || c == '}' || c == '$' || c == ',' || c == '\'')
			return false;
	}
	return true;
}
