#!/bin/sh
# vault.sh PIG: passwords from everywhere, files and values, what is said when one is missing or wrong. Each check is counted.
pig=$1
good=0 bad=0
work=$(mktemp -d "${TMPDIR:-/tmp}/pig-vault.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
HOME=$work/home; export HOME; mkdir "$HOME"
unset PIG_PLUGIN_PATH PIGSTY_HOME ANSIBLE_VAULT_PASSWORD_FILE ANSIBLE_VAULT_IDENTITY_LIST ANSIBLE_VAULT_IDENTITY EDITOR
cp "$pig" "$work/pig" && pig=$work/pig # no modules beside it
cd "$work" || exit 1

ok() { good=$((good + 1)); }
no() { bad=$((bad + 1)); echo "failed: $*" >&2; }
p() { # STATUS ARGS...
	want=$1; shift
	said=$("$pig" "$@" 2>&1 </dev/null); status=$?
	if [ $status -eq "$want" ]; then ok; else no "pig $*: exit status $status, not $want"; printf '%s\n' "$said" | sed 's/^/    /' >&2; fi
	what="pig $*"
}
has() { case $said in *"$1"*) ok ;; *) no "$what: lacks \"$1\""; printf '%s\n' "$said" | sed 's/^/    /' >&2 ;; esac; }
hasnt() { case $said in *"$1"*) no "$what: has \"$1\""; printf '%s\n' "$said" | sed 's/^/    /' >&2 ;; *) ok ;; esac; }
eq() { if [ "$said" = "$1" ]; then ok; else no "$what: \"$said\" is not \"$1\""; fi; }

echo dev-password >dev
printf 'prod-password\r\n' >prod
printf '#!/bin/sh\necho dev-password\n' >script; chmod 755 script
printf '#!/bin/sh\n[ "$1 $2" = "--vault-id prod" ] || exit 2\necho prod-password\n' >my-client.sh; chmod 755 my-client.sh
printf '#!/bin/sh\nexit 7\n' >dies; chmod 755 dies
: >nothing
printf 'alpha: 1\nbeta: "the hidden word"\n' >plain.yml

# ---- files ----
cp plain.yml f.yml; chmod 640 f.yml
p 0 vault encrypt --vault-id dev@dev f.yml; eq ""
said=$(head -1 f.yml); what="header of f.yml"; eq '$ANSIBLE_VAULT;1.2;AES256;dev'
said=$(stat -c %a f.yml); what="mode of f.yml"; eq 640
p 2 vault encrypt --vault-id dev@dev f.yml; has '"f.yml" is encrypted already'
p 0 vault view --vault-id dev@dev f.yml; eq "$(cat plain.yml)"
p 0 vault view --vault-password-file script f.yml; eq "$(cat plain.yml)"
p 0 vault view --vault-id prod@prod --vault-id dev@script f.yml; eq "$(cat plain.yml)"
p 2 vault view f.yml; has 'no vault password is given'; has '"dev"'; has "--vault-password-file"
p 2 vault view --vault-id prod@prod f.yml; has "none of the vault passwords given opens it"; hasnt "prod-password"
p 2 vault view --vault-id dev@nowhere f.yml; has 'vault password file "nowhere" cannot be read'
p 2 vault view --vault-id dev@dies f.yml; has 'vault password script "./dies" ended with status 7'
p 2 vault view --vault-id dev@nothing f.yml; has 'gave an empty password'
p 2 vault view --vault-id dev@my-client.sh f.yml; has 'knows no vault id "dev"'
p 2 vault view plain.yml --vault-id dev@dev; has "this is not encrypted"
p 0 vault rekey --vault-id dev@dev --new-vault-id prod@my-client.sh f.yml; eq ""
p 0 vault view --vault-id prod@prod f.yml; eq "$(cat plain.yml)"
p 2 vault view --vault-id dev@dev f.yml
p 0 vault rekey --vault-id prod@prod --new-vault-password-file dev f.yml
said=$(head -1 f.yml); what="header of f.yml"; eq '$ANSIBLE_VAULT;1.1;AES256'
p 0 vault decrypt --vault-password-file dev --output - f.yml; eq "$(cat plain.yml)"
p 0 vault decrypt --vault-password-file dev --output g.yml f.yml
said=$(cat g.yml; stat -c ' %a' g.yml); what="g.yml"; eq "$(cat plain.yml)
 600"
p 0 vault decrypt --vault-password-file dev f.yml; said=$(cat f.yml); eq "$(cat plain.yml)"
p 2 vault encrypt --vault-id dev@dev --vault-id prod@prod f.yml; has "several vault passwords are given: dev, prod"
p 0 vault encrypt --vault-id dev@dev --vault-id prod@prod --encrypt-vault-id prod f.yml
said=$(head -1 f.yml); eq '$ANSIBLE_VAULT;1.2;AES256;prod'
p 2 vault encrypt --vault-id dev@dev --encrypt-vault-id stage plain.yml; has 'no vault password of id "stage", only of dev'
p 2 vault encrypt plain.yml; has "no vault password is given to encrypt with"
p 2 vault encrypt none.yml --vault-id dev@dev; has none.yml
p 2 vault encrypt --vault-id 'a;b@dev' plain.yml; has "is no vault id"
p 2 vault frob x; has "Say encrypt, decrypt, view, edit, rekey or encrypt_string."
said=$(printf x | "$pig" vault encrypt --vault-password-file dev | "$pig" vault decrypt --vault-password-file dev); what="a pipe"; eq x
said=$(printf '' | "$pig" vault encrypt --vault-password-file dev | "$pig" vault view --vault-password-file dev); what="nothing, encrypted"; eq ""
head -c 300000 /dev/urandom >raw
"$pig" vault encrypt --vault-password-file dev --output raw.enc raw && "$pig" vault decrypt --vault-password-file dev --output raw.dec raw.enc
if cmp raw raw.dec; then ok; else no "300 kB of noise come back"; fi
# a password file that is itself encrypted, by one before it
printf prod-password | "$pig" vault encrypt --vault-id dev@dev >prod.enc
p 0 vault view --vault-id dev@dev --vault-id prod@prod.enc f.yml; eq "$(cat plain.yml)"

# ---- broken envelopes ----
cp f.yml b.yml; sed -i '3s/^./g/' b.yml
p 2 vault view --vault-id prod@prod b.yml; has "the vault envelope is broken"
cp f.yml b.yml; sed -i '$d' b.yml
p 2 vault view --vault-id prod@prod b.yml; has '"b.yml"'
echo '$ANSIBLE_VAULT;1.3;AES256' >b.yml; echo 00 >>b.yml
p 2 vault view --vault-id prod@prod b.yml; has 'version "1.3" is not known'
echo '$ANSIBLE_VAULT;1.1;ROT13' >b.yml; echo 00 >>b.yml
p 2 vault view --vault-id prod@prod b.yml; has 'cipher "ROT13" is not known'

# ---- editing ----
printf '#!/bin/sh\necho "gamma: 3" >>"$1"\nls -l "$1" >seen\n' >ed; chmod 755 ed
EDITOR=./ed; export EDITOR
p 0 vault edit --vault-id prod@prod f.yml; said=$(cat seen); what="what the editor opened"; has "memfd:"
p 0 vault view --vault-id prod@prod f.yml; has "gamma: 3"
EDITOR=true; cp f.yml same; p 0 vault edit --vault-id prod@prod f.yml
if cmp f.yml same; then ok; else no "an edit without a change writes nothing"; fi
EDITOR=false; p 2 vault edit --vault-id prod@prod f.yml; has "nothing was changed"
EDITOR=./ed; p 0 vault edit --vault-id dev@dev new.yml; p 0 vault view --vault-id dev@dev new.yml; eq "gamma: 3"
EDITOR="sh -c 'true' x"; p 0 vault edit --vault-id prod@prod f.yml
unset EDITOR

# ---- values in an inventory ----
value() { printf %s "$1" | "$pig" vault encrypt_string --vault-id "$2" -n "$3" | sed '2,$s/^ */      /; s/^/    /'; }
{
	echo 'all:'; echo '  hosts: { h1: , h2: }'; echo '  vars:'
	value dev-secret-1 dev@dev one; value prod-secret-2 prod@prod two; value '{{ not_a_template }}' dev@dev raw
	echo '    open: 1'; echo '    both: "<{{ one }}>"'; echo '    deep: { list: [ 1, "{{ two }}" ] }'
} >inv.yml
p 2 vault encrypt_string secret --vault-id dev@dev; has "does not belong on the command line"; hasnt "ANSIBLE_VAULT;"
p 0 inventory graph -i inv.yml; has h1
p 0 inventory list -i inv.yml; has '"__ansible_vault": "$ANSIBLE_VAULT;1.2;AES256;dev'; hasnt "dev-secret-1"
p 0 inventory host h1 -i inv.yml; has "open: 1"; has "no vault password is given"; has "inv.yml:"
p 0 inventory host h1 -i inv.yml --vault-id dev@dev --show-secrets; has 'one: "dev-secret-1"'; has 'both: "<dev-secret-1>"'; has "none of the vault passwords given opens it"
p 0 inventory host h1 -i inv.yml --vault-id dev@dev --vault-id prod@prod --show-secrets; has 'deep: {"list": [1, "prod-secret-2"]}'
has 'raw: "{{ not_a_template }}"'
p 0 inventory host h1 -i inv.yml --vault-id dev@dev --vault-id prod@prod; hasnt dev-secret-1; hasnt prod-secret-2; has "***"
echo '{{ one | upper }} {{ open }}' >t.j2
p 0 render t.j2 -i inv.yml -l h1 --vault-id dev@dev --show-secrets; eq "DEV-SECRET-1 1"
p 2 render t.j2 -i inv.yml -l h1; has "no vault password is given"; has "inv.yml:4"
echo '{{ open }}' >t2.j2; p 0 render t2.j2 -i inv.yml -l h1; eq 1
value dev-secret-1 dev@dev one | sed 's/^    //' >vars.yml
p 0 render t.j2 -e @vars.yml -e open=2 --vault-id dev@dev --show-secrets; eq "DEV-SECRET-1 2"
p 0 render t.j2 -e @vars.yml -e open=2 --vault-id dev@dev; has "***"; has "made of secrets"; hasnt DEV-SECRET-1
echo '{{ one }} {{ open }}' >t3.j2; p 0 render t3.j2 -e @vars.yml -e open=2 --vault-id dev@dev; eq "*** 2"
p 2 render t.j2 -e @vars.yml -e open=2; has "no vault password is given"; has "vars.yml:1"

# ---- where passwords come from ----
p 0 inventory host h1 -i inv.yml --show-secrets --vault-password-file dev; has dev-secret-1
export ANSIBLE_VAULT_PASSWORD_FILE=script; p 0 inventory host h1 -i inv.yml --show-secrets; has dev-secret-1; unset ANSIBLE_VAULT_PASSWORD_FILE
export ANSIBLE_VAULT_IDENTITY_LIST='dev@dev, prod@my-client.sh'; p 0 inventory host h1 -i inv.yml --show-secrets; has dev-secret-1; has prod-secret-2
export ANSIBLE_VAULT_ID_MATCH=true; p 0 inventory host h1 -i inv.yml --show-secrets; has dev-secret-1; has prod-secret-2; unset ANSIBLE_VAULT_IDENTITY_LIST
p 0 inventory host h1 -i inv.yml --show-secrets --vault-id other@dev; hasnt dev-secret-1; unset ANSIBLE_VAULT_ID_MATCH
printf '[defaults]\ninventory = inv.yml\nvault_password_file = ./dev\n[x]\nvault_password_file = no\n' >ansible.cfg
p 0 inventory host h1 --show-secrets; has dev-secret-1; hasnt prod-secret-2
p 0 inventory host h1 --show-secrets --vault-id prod@prod; has dev-secret-1; has prod-secret-2
p 0 inventory graph # a wrong password file matters when a password is needed, not before
sed -i 's/\.\/dev/nowhere/' ansible.cfg; p 0 inventory graph; p 0 inventory host h1; has 'vault password file "nowhere" cannot be read'
rm ansible.cfg

# ---- whole files of values ----
mkdir -p group_vars/all host_vars
printf 'file_secret: from-the-file\nopen: 2\nmore: "{{ open }}!"\n' >group_vars/all/vault.yml
"$pig" vault encrypt --vault-id dev@dev group_vars/all/vault.yml
printf 'mine: of-h2\n' >host_vars/h2.yml; "$pig" vault encrypt --vault-id prod@prod host_vars/h2.yml
p 0 inventory graph -i inv.yml; has h2
p 2 inventory list -i inv.yml; has 'group_vars/all/vault.yml'; has "no vault password is given"
p 2 check -i inv.yml; has 'group_vars/all/vault.yml:1:1: error'; has 'host_vars/h2.yml:1:1: error'
p 0 inventory host h1 -i inv.yml; has "if the encrypted file sets it"
p 2 render t2.j2 -i inv.yml -l h1; has 'group_vars/all/vault.yml'
p 0 render t2.j2 -i inv.yml -l h1 -e open=7; eq 7
p 0 render t2.j2 -i inv.yml -l h1 --vault-id dev@dev --show-secrets; eq 2
p 0 render t2.j2 -i inv.yml -l h1 --vault-id dev@dev; has '***' # all that stands in an encrypted file is secret
p 2 render t2.j2 -i inv.yml -l h2 --vault-id dev@dev; has "host_vars/h2.yml"
p 0 inventory host h2 -i inv.yml --vault-id dev@dev --vault-id prod@prod; has "file_secret: \"***\""; has "from all, group_vars/all/vault.yml:1"; hasnt "from-the-file"; hasnt of-h2
p 0 inventory host h2 -i inv.yml --vault-id dev@dev --vault-id prod@prod --show-secrets; has 'file_secret: "from-the-file"'; has 'more: "2!"'; has 'mine: "of-h2"'
cp inv.yml whole.yml; "$pig" vault encrypt --vault-id dev@dev whole.yml
p 2 inventory graph -i whole.yml; has 'file "whole.yml"'; has "whole.yml:1:1"
p 0 inventory graph -i whole.yml --vault-id dev@dev; has h1

# ---- nothing is left behind ----
said=$(grep -rlE 'dev-secret-1|prod-secret-2|from-the-file|of-h2' . 2>/dev/null); what="plain text in files"; eq ""
echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
