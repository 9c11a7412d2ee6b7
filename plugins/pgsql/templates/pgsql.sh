# PostgreSQL's environment, written by pig
export PATH={{ pg_bin_dir }}:/pg/bin:$PATH
export PGHOME=/{{ pg_bin_dir.split('/')[1:-1] | join('/') }}
export PGDATA={{ pg_data }}
export PGPORT={{ pg_port }}
export PGDATABASE={{ pg_primary_db }}
