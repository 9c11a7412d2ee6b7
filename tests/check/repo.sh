#!/bin/sh
# repo.sh PIG: faults seeded into repo_* and node_repo_*, over the modules of the build tree: each is found, at its line, and a good one
# has none. Each case is a block of vars; the faulty line ends in "# !".
pig=$1
good=0 bad=0
work=$(mktemp -d "${TMPDIR:-/tmp}/pig-repo-check.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
unset PIG_PLUGIN_PATH PIGSTY_HOME
cd "$work" || exit 1

# fault NAME TEXT VARS: pig check tells TEXT at the marked line, and ends with 2
fault() {
	{ printf 'all:\n  hosts: { 10.10.10.10: }\n  vars:\n    admin_ip: 10.10.10.10\n'; printf '%s\n' "$3" | sed 's/^/    /'; } >pigsty.yml
	line=$(grep -n '# !$' pigsty.yml | head -1 | cut -d: -f1)
	said=$("$pig" check 2>&1)
	status=$?
	if [ $status -eq 2 ] && printf '%s\n' "$said" | grep -FA1 "pigsty.yml:$line:" | grep -qF -- "$2"; then
		good=$((good + 1))
	else
		bad=$((bad + 1))
		echo "failed: $1: status $status, line $line"
		printf '%s\n' "$said" | sed 's/^/    /'
	fi
}
upstream='repo_upstream:
  - { name: base, module: node, releases: [ 12 ], baseurl: { default: "http://10.10.10.10/debian ${distro_codename} main" } }
  - { name: pg, module: pgsql, releases: [ 12 ], baseurl: { default: "http://10.10.10.10/pg bookworm main" }, meta: { signed-by: /etc/apt/keyrings/pg.gpg } }'

printf 'all:\n  hosts: { 10.10.10.10: }\n  vars:\n    admin_ip: 10.10.10.10\n    repo_modules: infra,node,pgsql\n    node_repo_modules: local,node\n    repo_packages: [ "jq, postgresql-$v", "a | b + c" ]\n    repo_url_packages: [ "https://10.10.10.10/x.tgz" ]\n%s\n' "$(printf '%s\n' "$upstream" | sed 's/^/    /')" >pigsty.yml
said=$("$pig" check 2>&1) && good=$((good + 1)) || { bad=$((bad + 1)); echo "failed: a good one: $said"; }

fault "an unknown module to build from" 'names "nod"' "$upstream
repo_modules: nod # !"
fault "an unknown module of nodes" 'names "locl"' "$upstream
node_repo_modules: locl # !"
fault "one of several" 'names "pgsqll"' "$upstream
node_repo_modules: \"local,node,pgsqll\" # !"
fault "two rows of one name" 'two rows "pg"' "$upstream
  - { name: pg, module: pgsql, baseurl: { default: \"http://10.10.10.10/b ./\" } } # !"
fault "an address that is none" 'is no address' "$upstream
  - { name: x, module: node, baseurl: { default: debian } } # !"
fault "an empty mirror" '"china" of source "x" is no address' "$upstream
  - { name: x, module: node, baseurl: { default: \"http://10.10.10.10/b ./\", china: \"\" } } # !"
fault "unsigned on purpose" 'trusted without a signature' "$upstream
  - { name: x, module: node, baseurl: { default: \"http://10.10.10.10/b ./\" }, meta: { trusted: yes } } # !"
fault "a keyring without its folder" 'no absolute path' "$upstream
  - { name: x, module: node, baseurl: { default: \"http://10.10.10.10/b ./\" }, meta: { signed-by: pg.gpg } } # !"
fault "sources that are no list" 'repo_upstream' 'repo_upstream: http://10.10.10.10/debian # !'
fault "a name with a slash" 'repo_name' 'repo_name: a/b # !'
fault "a name that leads out" 'repo_name' 'repo_name: ../etc # !'
fault "a folder that is no path" 'repo_home' 'repo_home: www # !'
fault "an endpoint without scheme" 'repo_endpoint' 'repo_endpoint: 10.10.10.10:80 # !'
fault "packages that are no list" 'repo_packages' 'repo_packages: nginx # !'
fault "a package that is a command" 'repo_packages' 'repo_packages: [ "jq; rm -rf /" ] # !'
fault "more packages that are a map" 'repo_extra_packages' 'repo_extra_packages: { a: 1 } # !'
fault "a misspelled name" 'repo_packages' 'repo_pakages: [ jq ] # !' | sed 's/$//'
fault "neither true nor false" 'repo_enabled' 'repo_enabled: maybe # !'
fault "neither true nor false, of nodes" 'node_repo_remove' 'node_repo_remove: 7 # !'
fault "a region there is not" 'region' 'region: mars # !'
fault "an environment that is a list" 'proxy_env' 'proxy_env: [ http_proxy ] # !'
fault "a file without address" 'has no address' 'repo_url_packages: [ { name: x } ] # !'
fault "a file by its name alone" 'has no address' 'repo_url_packages: [ "x.tgz" ] # !'
fault "a digest that is none" 'sha256 of "x" is none' 'repo_url_packages: [ { url: "http://10.10.10.10/x", sha256: abc } ] # !'
fault "a file that anyone may change on its way" 'comes by http' 'repo_url_packages: [ "http://10.10.10.10/x" ] # !'
fault "two files of one name" 'two files "x"' 'repo_url_packages: [ "https://10.10.10.10/x", "https://10.10.10.11/x" ] # !'
fault "a file that leads out" "cannot be a file's name" 'repo_url_packages: [ { url: "https://10.10.10.10/x", name: ../x } ] # !'

echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
