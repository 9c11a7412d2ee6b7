#!/bin/sh
# check.sh PIG PLUGINS DIR [CASES]: for each cases/X.yml what `pig check` prints is cases/X.want, its last line the exit status.
# UPDATE=1 writes what is printed now: read it before it is committed.
pig=$1 plugins=$2 dir=$3 cases=${4:-cases}
good=0 bad=0
out=$(mktemp) || exit 1
empty=$(mktemp -d) || exit 1
trap 'rm -rf "$out" "$empty"' EXIT INT TERM
HOME=$empty; export HOME
unset PIG_PLUGIN_PATH PIGSTY_HOME
# the modules of the build tree stay out: a copy of the program has none beside it
cp "$pig" "$empty/pig" && pig=$empty/pig
cd "$dir/$cases" || exit 1
for f in *.yml; do
	want=${f%.yml}.want
	{
		"$pig" check -i "$f" --plugin-dir "$plugins" 2>&1
		echo "exit $?"
	} >"$out"
	if [ -n "$UPDATE" ]; then cp "$out" "$want"; fi
	if diff -u "$want" "$out"; then good=$((good + 1)); else bad=$((bad + 1)); fi
done
# the same as JSON says the same
if [ -f bad.yml ]; then
	n=$("$pig" check -i bad.yml --plugin-dir "$plugins" --json | "$pig" query 'length(faults)')
	m=$(grep -c -E '(^|: )(error|warning|note): ' bad.want)
	if [ "$n" = "$m" ]; then good=$((good + 1)); else bad=$((bad + 1)); echo "JSON has $n faults, text $m"; fi
fi
echo "$good passed, $bad failed"
[ "$bad" -eq 0 ] && [ "$good" -gt 1 ]
