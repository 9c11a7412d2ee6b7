# short words for everyday work on a database node, written by pig
alias pg='patronictl -c /etc/patroni/patroni.yml'
alias pgb='psql -p {{ pgbouncer_port }} -d pgbouncer'
alias pgst='systemctl status patroni'
alias pglog='tail -F {{ pg_log_dir }}/postgresql-$(date +%a).csv'
alias ptlog='tail -F {{ patroni_log_dir }}/patroni.log'
