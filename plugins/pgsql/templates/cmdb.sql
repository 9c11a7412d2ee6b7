-- The inventory in a database: tables that hold it, views that read it. In one transaction (psql -1); run again it keeps what the
-- tables hold.
set local client_min_messages to warning;
create schema if not exists pigsty;
set local search_path to pigsty;

-- ---- types ----
create function pg_temp.enum(name text, words text[]) returns void language plpgsql as $$
begin
  if to_regtype('pigsty.' || quote_ident(name)) is null then
    execute format('create type pigsty.%I as enum (%s)', name, (select string_agg(quote_literal(w), ', ' order by i)
      from unnest(words) with ordinality u (w, i)));
  end if;
end $$;
select pg_temp.enum('pg_role', '{unknown,primary,replica,offline,standby,delayed,common}'),
  pg_temp.enum('job_status', '{draft,ready,run,done,fail}'),
  pg_temp.enum('var_level', '{default,global,group,host,ins,arg}'),
  pg_temp.enum('db_state', '{create,recreate,absent}'),
  pg_temp.enum('user_state', '{create,absent}');

-- ---- tables ----
create table if not exists "group" (
  cls text primary key,
  ctime timestamptz not null default now(),
  mtime timestamptz not null default now()
);
create table if not exists host (
  cls text not null references "group" on update cascade on delete cascade,
  ip inet not null,
  ctime timestamptz not null default now(),
  mtime timestamptz not null default now(),
  primary key (cls, ip)
);
create table if not exists global_var (
  key text primary key check (key <> ''),
  value jsonb,
  mtime timestamptz not null default now()
);
create table if not exists group_var (
  cls text not null references "group" on update cascade on delete cascade,
  key text not null check (key <> ''),
  value jsonb,
  mtime timestamptz not null default now(),
  primary key (cls, key)
);
create table if not exists host_var (
  cls text not null,
  ip inet not null,
  key text not null check (key <> ''),
  value jsonb,
  mtime timestamptz not null default now(),
  primary key (cls, ip, key),
  foreign key (cls, ip) references host on update cascade on delete cascade
);
create table if not exists default_var (
  id int,
  key text primary key check (key <> ''),
  value jsonb,
  module varchar(16),
  section varchar(64),
  type varchar(16),
  level varchar(16),
  summary varchar(512),
  detail varchar(2048)
);
create table if not exists package_map (key text primary key, value text);

comment on table "group" is 'groups of hosts: clusters';
comment on table host is 'hosts, once for each group they are in';
comment on table global_var is 'values for all hosts';
comment on table group_var is 'values of a group';
comment on table host_var is 'values of a host, by the group where they are written';
comment on table default_var is 'parameters that the modules know, with their defaults: filled by pig inventory load';
comment on table package_map is 'names of packages behind their aliases';

-- ---- jobs ----
create sequence if not exists job_id_seq;
-- Ordered by time: milliseconds since 1993-09-21, a counter of ten bits, twelve random ones.
create or replace function job_id() returns bigint language sql volatile as $$
  select (((extract(epoch from clock_timestamp()) * 1000)::bigint - 748569600000) << 23)
    | ((nextval('pigsty.job_id_seq') & 1023) << 12)
    | floor(random() * 4096)::bigint
$$;
create or replace function job_id_ts(id bigint) returns timestamp language sql immutable strict as $$
  select to_timestamp(((id >> 23) + 748569600000) / 1000.0) at time zone 'UTC'
$$;
create table if not exists job (
  id bigint primary key default job_id(),
  name text,
  type text,
  data jsonb default '{}',
  log text,
  log_path text,
  status job_status not null default 'draft',
  ctime timestamptz not null default now(),
  mtime timestamptz not null default now(),
  start_at timestamptz,
  finish_at timestamptz
);

-- ---- views: made anew each time, the last ones first ----
create function pg_temp.no_views() returns void language plpgsql as $$
declare v record;
begin
  for v in select relname from pg_class where relnamespace = 'pigsty'::regnamespace and relkind = 'v' loop
    execute format('drop view if exists pigsty.%I cascade', v.relname);
  end loop;
end $$;
select pg_temp.no_views();

create or replace function vars_merge(jsonb, jsonb) returns jsonb language sql immutable parallel safe as $$
  select coalesce($1, '{}') || coalesce($2, '{}')
$$;
create or replace aggregate vars_agg(jsonb) (sfunc = pigsty.vars_merge, stype = jsonb, initcond = '{}');

create view group_config as
select cls,
  (select coalesce(jsonb_object_agg(host(h.ip), (select coalesce(jsonb_object_agg(v.key, v.value), '{}') from host_var v
     where v.cls = h.cls and v.ip = h.ip)), '{}') from host h where h.cls = g.cls) as hosts,
  (select coalesce(jsonb_object_agg(v.key, v.value), '{}') from group_var v where v.cls = g.cls) as vars
from "group" g;

create view host_config as
select h.ip, array_agg(cls order by cls) as groups,
  vars_agg(g.vars || coalesce(g.hosts -> host(h.ip), '{}') order by cls) as vars
from host h join group_config g using (cls) group by h.ip;

create view global_config as
select key, coalesce(g.value, d.value) as value,
  case when g.key is null then 'default' else 'global' end::var_level as level
from global_var g full join default_var d using (key);

create or replace function get_param(text) returns text language sql stable as $$
  select value #>> '{}' from pigsty.global_config where key = $1
$$;

create view raw_config as
select jsonb_build_object('all', jsonb_build_object(
  'children', (select coalesce(jsonb_object_agg(cls, jsonb_build_object('hosts', hosts, 'vars', vars)), '{}') from group_config),
  'vars', (select coalesce(jsonb_object_agg(key, value), '{}') from global_var))) as config;

-- What ansible wants of a script: pig reads the tables.
create view inventory as
with all_vars as (select coalesce(jsonb_object_agg(key, value), '{}') as vars from global_var)
select jsonb_pretty(
  jsonb_build_object('all', jsonb_build_object('children',
    '["meta"]'::jsonb || (select coalesce(jsonb_agg(cls order by cls), '[]') from "group" where cls <> 'meta')))
  || (select coalesce(jsonb_object_agg(cls, jsonb_build_object('hosts', (select coalesce(jsonb_agg(host(ip) order by ip), '[]')
       from host where host.cls = g.cls))), '{}') from "group" g)
  || jsonb_build_object('_meta', jsonb_build_object('hostvars',
       (select coalesce(jsonb_object_agg(host(ip), a.vars || c.vars), '{}') from host_config c cross join all_vars a)))) as text;

-- ---- views: PostgreSQL ----
create view pg_cluster as
select cls, vars ->> 'pg_cluster' as name, hosts, vars,
  coalesce(vars -> 'pg_databases', '[]') as pg_databases,
  coalesce(vars -> 'pg_users', '[]') as pg_users,
  coalesce(vars -> 'pg_services', '[]') || coalesce(vars -> 'pg_default_services', d.services, '[]') as pg_services,
  coalesce(vars -> 'pg_hba_rules', '[]') || coalesce(vars -> 'pg_default_hba_rules', d.hba, '[]') as pg_hba,
  coalesce(vars -> 'pgb_hba_rules', '[]') || coalesce(vars -> 'pgb_default_hba_rules', d.pgb, '[]') as pgbouncer_hba
from group_config cross join (select
  (select value from global_config where key = 'pg_default_services') as services,
  (select value from global_config where key = 'pg_default_hba_rules') as hba,
  (select value from global_config where key = 'pgb_default_hba_rules') as pgb) d
where vars ? 'pg_cluster';

create view pg_instance as
select cls, h.key::inet as ip, name || '-' || (h.value ->> 'pg_seq') as ins, (h.value ->> 'pg_seq')::int as seq,
  coalesce(h.value ->> 'pg_role', 'replica')::pg_role as role,
  coalesce((h.value ->> 'pg_offline_query')::boolean, false) as offline_query,
  coalesce((h.value ->> 'pg_weight')::int, 100) as weight, h.value ->> 'pg_upstream' as upstream, h.value as instance
from pg_cluster cross join jsonb_each(hosts) h;

create view pg_service as
select cls, name || '-' || (s ->> 'name') as svc, s ->> 'name' as name, coalesce(s ->> 'ip', '*') as src_ip,
  s ->> 'port' as src_port, coalesce(s ->> 'dest', 'default') as dst_port, coalesce(s ->> 'check', '/') as check_url,
  s ->> 'selector' as selector, s ->> 'backup' as selector_backup, coalesce((s ->> 'maxconn')::int, 5000) as maxconn,
  coalesce(s ->> 'balance', 'roundrobin') as balance, s ->> 'options' as options, s as service
from pg_cluster cross join jsonb_array_elements(pg_services) s;

create view pg_database as
select cls, d ->> 'name' as datname, coalesce(d ->> 'state', 'create')::db_state as state, d ->> 'owner' as owner,
  d ->> 'template' as template, d ->> 'encoding' as encoding, d ->> 'locale' as locale, d ->> 'lc_collate' as lc_collate,
  d ->> 'lc_ctype' as lc_ctype, d ->> 'locale_provider' as locale_provider, d ->> 'icu_locale' as icu_locale,
  d ->> 'icu_rules' as icu_rules, d ->> 'builtin_locale' as builtin_locale,
  coalesce((d ->> 'is_template')::boolean, false) as is_template, d ->> 'strategy' as strategy,
  coalesce((d ->> 'allowconn')::boolean, true) as allowconn, coalesce((d ->> 'revokeconn')::boolean, false) as revokeconn,
  d ->> 'tablespace' as tablespace, coalesce((d ->> 'connlimit')::int, -1) as connlimit,
  coalesce((d ->> 'pgbouncer')::boolean, true) as pgbouncer, d ->> 'comment' as comment, d -> 'schemas' as schemas,
  d -> 'extensions' as extensions, d -> 'parameters' as parameters, d ->> 'baseline' as baseline, d ->> 'pool_mode' as pool_mode,
  d ->> 'pool_size' as pool_size, d ->> 'pool_size_min' as pool_size_min, d ->> 'pool_reserve' as pool_reserve,
  d ->> 'pool_connlimit' as pool_connlimit, d ->> 'pool_auth_user' as pool_auth_user, d as database
from pg_cluster cross join jsonb_array_elements(pg_databases) d;

create view pg_users as
select cls, u ->> 'name' as name, coalesce(u ->> 'state', 'create')::user_state as state, u ->> 'password' as password,
  coalesce(u ->> 'password' ~ '^md5[0-9a-f]{32}$', false) as is_md5pwd, coalesce((u ->> 'login')::boolean, true) as login,
  coalesce((u ->> 'superuser')::boolean, false) as superuser, coalesce((u ->> 'createdb')::boolean, false) as createdb,
  coalesce((u ->> 'createrole')::boolean, false) as createrole, coalesce((u ->> 'inherit')::boolean, true) as inherit,
  coalesce((u ->> 'replication')::boolean, false) as replication, coalesce((u ->> 'bypassrls')::boolean, false) as bypassrls,
  coalesce((u ->> 'pgbouncer')::boolean, false) as pgbouncer, coalesce((u ->> 'connlimit')::int, -1) as connlimit,
  (u ->> 'expire_in')::int as expire_in, u ->> 'expire_at' as expire_at, u ->> 'comment' as comment, u -> 'roles' as roles,
  u -> 'parameters' as parameters, u ->> 'pool_auth_user' as pool_auth_user, u ->> 'pool_mode' as pool_mode,
  u ->> 'pool_size' as pool_size, u ->> 'pool_size_min' as pool_size_min, u ->> 'pool_reserve' as pool_reserve,
  u ->> 'pool_connlimit' as pool_connlimit, u as user
from pg_cluster cross join jsonb_array_elements(pg_users) u;

create view pg_hba as
select cls, h ->> 'title' as title, coalesce(h ->> 'role', 'common') as role, h -> 'rules' as rules, h ->> 'user' as user,
  h ->> 'db' as db, h ->> 'addr' as addr, h ->> 'auth' as auth, h as hba
from pg_cluster cross join jsonb_array_elements(pg_hba) h;

create view pgb_hba as
select cls, h ->> 'title' as title, coalesce(h ->> 'role', 'common') as role, h -> 'rules' as rules, h ->> 'user' as user,
  h ->> 'db' as db, h ->> 'addr' as addr, h ->> 'auth' as auth, h as hba
from pg_cluster cross join jsonb_array_elements(pgbouncer_hba) h;

create view pg_remote as
select e.key::int as local_port, e.value ->> 'pg_cluster' as cls, (e.value ->> 'pg_seq')::int as seq,
  e.value ->> 'pg_host' as host, coalesce((e.value ->> 'pg_port')::int, 5432) as port, e.value as ins_var, vars as cls_var
from group_config cross join jsonb_each(vars -> 'pg_exporters') e where jsonb_typeof(vars -> 'pg_exporters') = 'object';

-- ---- views: Redis, MinIO, etcd ----
create view redis_cluster as
select cls, vars ->> 'redis_cluster' as name, coalesce(vars ->> 'redis_mode', 'standalone') as mode,
  coalesce(vars ->> 'redis_conf', 'redis.conf') as conf, coalesce(vars ->> 'redis_max_memory', '1GB') as max_memory,
  coalesce(vars ->> 'redis_mem_policy', 'allkeys-lru') as mem_policy, vars ->> 'redis_password' as password, hosts, vars
from group_config where vars ? 'redis_cluster';

create view redis_node as
select cls, mode, h.key::inet as ip, name || '-' || (h.value ->> 'redis_node') as redis_node,
  (h.value ->> 'redis_node')::int as node_id, coalesce(h.value -> 'redis_instances', '{}') as instances
from redis_cluster cross join jsonb_each(hosts) h;

create view redis_instance as
select cls, mode, ip, redis_node, node_id, i.key::int as port, redis_node || '-' || i.key as ins,
  i.value ->> 'replica_of' as replica_of, i.value as instance
from redis_node cross join jsonb_each(instances) i;

create view minio_cluster as
select cls, vars ->> 'minio_cluster' as name, coalesce((vars ->> 'minio_port')::int, 9000) as port,
  coalesce((vars ->> 'minio_admin_port')::int, 9001) as admin_port, coalesce(vars ->> 'minio_user', 'minio') as os_user,
  coalesce(vars ->> 'minio_node', '${minio_cluster}-${minio_seq}.pigsty') as node,
  coalesce(vars ->> 'minio_data', '/data/minio') as data, hosts, vars
from group_config where vars ? 'minio_cluster';

create view minio_instance as
select cls, h.key::inet as ip, name || '-' || (h.value ->> 'minio_seq') as ins, (h.value ->> 'minio_seq')::int as seq,
  replace(replace(node, '${minio_cluster}', name), '${minio_seq}', h.value ->> 'minio_seq') as nodename, data,
  h.value as instance
from minio_cluster cross join jsonb_each(hosts) h;

create view etcd_cluster as
select cls, coalesce(vars ->> 'etcd_cluster', 'etcd') as name, coalesce((vars ->> 'etcd_port')::int, 2379) as port,
  coalesce((vars ->> 'etcd_peer_port')::int, 2380) as peer_port, coalesce(vars ->> 'etcd_data', '/data/etcd') as data_dir,
  coalesce((vars ->> 'etcd_clean')::boolean, false) as clean, coalesce((vars ->> 'etcd_safeguard')::boolean, false) as safeguard,
  (select count(*) from host where host.cls = g.cls) as size,
  (select ceil(count(*) / 2.0)::int from host where host.cls = g.cls) as quorum, hosts, vars
from group_config g where cls = 'etcd' or vars ? 'etcd_cluster';

create view etcd_instance as
select cls, h.key::inet as ip, name || '-' || (h.value ->> 'etcd_seq') as ins, (h.value ->> 'etcd_seq')::int as seq,
  h.value as instance
from etcd_cluster cross join jsonb_each(hosts) h;

-- A table in Markdown: column names are those of its head.
create view parameters as
select id as "ID", format('`%s`', key) as "Name", format('`%s`', module) as "Module", coalesce(format('`%s`', section), '') as "Section",
  format('`%s`', type) as "Type", format('`%s`', level) as "Level", summary as "Comment"
from default_var order by id;

-- ---- who may look ----
-- The inventory holds passwords: those who only read databases have no business here.
do $$
begin
  if exists (select from pg_roles where rolname = 'dbrole_admin') then
    grant usage, create on schema pigsty to dbrole_admin;
    grant select, insert, update, delete, truncate on all tables in schema pigsty to dbrole_admin;
    grant usage on all sequences in schema pigsty to dbrole_admin;
  end if;
  if exists (select from pg_roles where rolname = 'dbrole_readonly') then
    revoke all on schema pigsty from dbrole_readonly;
  end if;
  if exists (select from pg_roles where rolname = 'dbrole_offline') then
    revoke all on schema pigsty from dbrole_offline;
  end if;
end $$;
