/* The parameters of MinIO clusters. */
#include "module.h"

static const struct pig_param bucket_members[] = {
	{ .name = "name", .type = PIG_STR, .check = "/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/", .flags = PIG_REQUIRED,
	  .text = "Name of the bucket, and of the policy that gives all of it." },
	{ .name = "versioning", .type = PIG_BOOL, .dflt = "false", .text = "Keep what is overwritten?" },
	{ .name = "lock", .type = PIG_BOOL, .dflt = "false", .text = "Allow objects that cannot be deleted before a day?" },
};

static const struct pig_param user_members[] = {
	{ .name = "access_key", .type = PIG_STR, .check = "/^[^\\s:=,\"]{3,}$/", .flags = PIG_REQUIRED,
	  .text = "Name the user logs in by." },
	{ .name = "secret_key", .type = PIG_STR, .check = "/^\\S{8,}$/", .flags = PIG_REQUIRED | PIG_SECRET,
	  .text = "Secret the user logs in by, at least eight characters." },
	{ .name = "policy", .type = PIG_STR, .flags = PIG_REQUIRED,
	  .text = "Policies of the user, a comma between them: names of buckets, or of MinIO's own." },
};

const struct pig_param minio_params[MINIO_PARAMS] = {
	PIG_P_ENUM(struct minio, minio_type, .level = PIG_CLUSTER, .dflt = "'silo'", .check = "silo",
		.text = "Server that is installed: Silo, the free continuation of MinIO; a program called minio will do."),
	PIG_P_INT(struct minio, minio_seq, .level = PIG_INSTANCE, .text = "Number of the member, unique in its cluster."),
	PIG_P_STR(struct minio, minio_cluster, .level = PIG_CLUSTER,
		.dflt = "{{ 'minio' if minio_seq is defined else none }}", .check = "name",
		.text = "Name of the cluster this member is in."),
	PIG_P_BOOL(struct minio, minio_https, .level = PIG_CLUSTER, .dflt = "true", .text = "Serve with TLS?"),
	PIG_P_STR(struct minio, minio_user, .level = PIG_CLUSTER, .dflt = "'minio'", .check = "/^[a-z_][a-z0-9_-]*$/",
		.text = "Account the server runs as."),
	PIG_P_STR(struct minio, minio_node, .level = PIG_CLUSTER, .dflt = "'${minio_cluster}-${minio_seq}.pigsty'",
		.check = "/^[A-Za-z0-9][A-Za-z0-9.-]*$/", .text = "Name by which the members know this one."),
	PIG_P_STR(struct minio, minio_data, .level = PIG_CLUSTER, .dflt = "'/data/minio'", .check = "path",
		.text = "Folder of the objects; {1...4} in it stands for several drives."),
	PIG_P_STR(struct minio, minio_volumes, .level = PIG_CLUSTER,
		.text = "What the server is to serve, when it is not minio_data of all members."),
	PIG_P_STR(struct minio, minio_domain, .level = PIG_GLOBAL, .dflt = "'sss.pigsty'",
		.check = "/^[A-Za-z0-9][A-Za-z0-9.-]*$/", .text = "Name by which clients know the service."),
	PIG_P_INT(struct minio, minio_port, .level = PIG_CLUSTER, .dflt = "9000", .check = "port",
		.text = "Port of the S3 interface."),
	PIG_P_INT(struct minio, minio_admin_port, .level = PIG_CLUSTER, .dflt = "9001", .check = "port",
		.text = "Port of the web console."),
	PIG_P_STR(struct minio, minio_access_key, .level = PIG_CLUSTER, .dflt = "'minioadmin'",
		.check = "/^[^\\s:=,\"]{3,}$/", .text = "Name the administrator logs in by."),
	PIG_P_STR(struct minio, minio_secret_key, .level = PIG_CLUSTER, .dflt = "'S3User.MinIO'", .flags = PIG_SECRET,
		.check = "/^\\S{8,}$/", .text = "Secret the administrator logs in by, at least eight characters."),
	PIG_P_STR(struct minio, minio_extra_vars, .level = PIG_CLUSTER, .dflt = "''",
		.text = "Further lines NAME=value of the server's environment."),
	PIG_P_BOOL(struct minio, minio_provision, .level = PIG_CLUSTER, .dflt = "true",
		.text = "Make buckets, policies, users and the client's alias?"),
	PIG_P_STR(struct minio, minio_alias, .level = PIG_GLOBAL, .dflt = "'sss'", .check = "/^[A-Za-z][A-Za-z0-9_-]*$/",
		.text = "Alias of the cluster in the configuration of mcli."),
	PIG_P_STR(struct minio, minio_endpoint, .level = PIG_GLOBAL, .check = "/^https?:\\/\\/[^\\/\\s]+$/",
		.text = "URL of that alias, when it is not minio_domain with minio_port: behind a proxy, say."),
	PIG_P_LIST(struct minio, minio_buckets, .level = PIG_CLUSTER,
		.dflt = "[{\"name\": \"pgsql\"}, {\"name\": \"meta\", \"versioning\": true}, {\"name\": \"data\"}]",
		.members = PIG_TABLE(bucket_members), .text = "Buckets that are to be there, each with a policy of its name."),
	PIG_P_LIST(struct minio, minio_users, .level = PIG_CLUSTER,
		.dflt = "[{\"access_key\": \"pgbackrest\", \"secret_key\": \"S3User.Backup\", \"policy\": \"pgsql\"}, "
			"{\"access_key\": \"s3user_meta\", \"secret_key\": \"S3User.Meta\", \"policy\": \"meta\"}, "
			"{\"access_key\": \"s3user_data\", \"secret_key\": \"S3User.Data\", \"policy\": \"data\"}]",
		.members = PIG_TABLE(user_members), .text = "Users that are to be there, with their policies."),
	PIG_P_BOOL(struct minio, minio_safeguard, .level = PIG_CLUSTER, .dflt = "false",
		.text = "Refuse the removal of members?"),
	PIG_P_BOOL(struct minio, minio_rm_data, .level = PIG_CLUSTER, .dflt = "true", .was = "minio_clean",
		.text = "Delete objects and configuration of removed members?"),
	PIG_P_BOOL(struct minio, minio_rm_pkg, .level = PIG_CLUSTER, .dflt = "false",
		.text = "Uninstall the server from removed members?"),
};
