/*
 * Every filter, test, method and global as one row: name, function, parameters ("*" takes any more, "**" any keywords),
 * how many must be given, flags, and its sentence in the manual. From these rows come the prototypes, the tables the
 * parser looks in (rows.c) and `pig doc`. Each table is sorted by name.
 */
#ifndef TEXT_ROWS_H
#define TEXT_ROWS_H

#include "text/tmpl_int.h"

#define FILTERS(X) \
	X("abs", filter_abs, "", 0, 0, "the number without its sign") \
	X("attr", filter_attr, "name", 1, ROW_PASS, "the member of that name, as x.name") \
	X("b64decode", filter_b64decode, "encoding", 0, 0, "text out of base64") \
	X("b64encode", filter_b64encode, "encoding", 0, 0, "text as base64") \
	X("basename", filter_basename, "", 0, 0, "the last part of a path") \
	X("batch", filter_batch, "linecount,fill_with", 1, 0, \
	  "lists of that many items each; the last is filled up with fill_with") \
	X("bool", filter_bool, "", 0, 0, \
	  "yes, on, 1 and true (any case) are true, all else is false; null stays null") \
	X("capitalize", filter_capitalize, "", 0, 0, "first letter upper case, the others lower") \
	X("center", filter_center, "width", 0, 0, "text in the middle of that many columns (80)") \
	X("checksum", filter_checksum, "", 0, 0, "SHA-1 as hex") \
	X("combine", filter_combine, "*,**", 0, ROW_PASS, \
	  "maps laid over each other, the later wins; recursive=true for inner maps, " \
	  "list_merge=replace, keep, append, prepend, append_rp or prepend_rp") \
	X("comment", filter_comment, "style,**", 0, 0, \
	  "lines as a comment: style plain (#), c, cblock, erlang or xml; decoration, beginning, end, prefix, postfix, " \
	  "newline, prefix_count and postfix_count change it") \
	X("count", filter_length, "", 0, ROW_PASS, "same as length") \
	X("d", filter_default, "default_value,boolean", 0, ROW_UNDEF | ROW_ARGS | ROW_PASS, "same as default") \
	X("default", filter_default, "default_value,boolean", 0, ROW_UNDEF | ROW_ARGS | ROW_PASS, \
	  "the value, or default_value when it is undefined; with boolean=true also when it is empty, " \
	  "false, 0 or null") \
	X("dict2items", filter_dict2items, "key_name,value_name", 0, 0, "a map as a list of maps with key and value") \
	X("dictsort", filter_dictsort, "case_sensitive,by,reverse", 0, 0, \
	  "a map as a list of (key, value), sorted by key or by value") \
	X("difference", filter_difference, "b", 1, 0, "items that are not in b, each once") \
	X("dirname", filter_dirname, "", 0, 0, "a path without its last part") \
	X("e", filter_escape, "", 0, 0, "same as escape") \
	X("escape", filter_escape, "", 0, 0, "text for HTML and XML: & < > and quotes as entities") \
	X("extract", filter_extract, "container,morekeys", 1, ROW_PASS, "container[x], and on through morekeys") \
	X("filesizeformat", filter_filesizeformat, "binary", 0, 0, "bytes as 13 kB, or 4.1 MiB with binary=true") \
	X("first", filter_first, "", 0, ROW_PASS, "the first item") \
	X("flatten", filter_flatten, "levels,skip_nulls", 0, 0, \
	  "inner lists spliced into one list; nulls are left out") \
	X("float", filter_float, "default", 0, 0, "a float, or default (0.0) when it is no number") \
	X("format", filter_format, "*,**", 0, 0, "printf: \"%-8s %03d\" | format(a, b)") \
	X("from_json", filter_from_json, "", 0, 0, "the value that JSON text says") \
	X("from_yaml", filter_from_yaml, "", 0, 0, "the value that YAML text says") \
	X("from_yaml_all", filter_from_yaml_all, "", 0, 0, "a list of the documents in YAML text") \
	X("groupby", filter_groupby, "attribute,default,case_sensitive", 1, 0, \
	  "list of (value, items), grouped by an attribute, sorted by it") \
	X("hash", filter_hash, "hashtype", 0, 0, "hex digest: sha1, md5, sha224, sha256, sha384, sha512") \
	X("human_readable", filter_human_readable, "isbits,unit", 0, 0, "bytes as \"1.00 KB\"") \
	X("human_to_bytes", filter_human_to_bytes, "default_unit,isbits", 0, 0, \
	  "\"10 MB\" as a number of bytes, 1024 to the K") \
	X("ident", filter_ident, "", 0, 0, "an SQL identifier: quoted unless it is plain lower case and no keyword") \
	X("indent", filter_indent, "width,first,blank", 0, 0, \
	  "lines after the first moved right by width (4) columns or a string") \
	X("int", filter_int, "default,base", 0, 0, \
	  "an integer, cut towards zero, or default (0) when it is no number") \
	X("intersect", filter_intersect, "b", 1, 0, "items that are also in b, each once") \
	X("items", filter_items, "", 0, ROW_UNDEF, "a map as a list of (key, value)") \
	X("items2dict", filter_items2dict, "key_name,value_name", 0, 0, \
	  "a list of maps with key and value as one map") \
	X("join", filter_join, "d,attribute", 0, 0, "items as text with d between them") \
	X("json_query", filter_json_query, "expr", 1, ROW_PASS, "what a JMESPath expression finds in it") \
	X("last", filter_last, "", 0, ROW_PASS, "the last item") \
	X("length", filter_length, "", 0, ROW_PASS, "number of items, or of characters") \
	X("list", filter_list, "", 0, 0, "a list of its items, keys or characters") \
	X("literal", filter_literal, "", 0, 0, "an SQL literal: text quoted, numbers and booleans bare, null as NULL") \
	X("log", filter_log, "base", 0, 0, "logarithm, natural unless base is given") \
	X("lower", filter_lower, "", 0, 0, "lower case") \
	X("mandatory", filter_mandatory, "msg", 0, ROW_UNDEF | ROW_PASS, \
	  "the value; an error with msg when it is undefined") \
	X("map", filter_map, "*,**", 0, ROW_PASS, \
	  "each item through a filter, or its attribute=, with default= where that is missing") \
	X("max", filter_max, "case_sensitive,attribute", 0, ROW_PASS, "the largest item") \
	X("md5", filter_md5, "", 0, 0, "MD5 as hex") \
	X("min", filter_min, "case_sensitive,attribute", 0, ROW_PASS, "the smallest item") \
	X("password_hash", filter_password_hash, "hashtype,salt,salt_size,rounds", 0, 0, \
	  "crypt(3) hash of a password: sha512 or sha256; without salt= a random one") \
	X("path_join", filter_path_join, "", 0, 0, \
	  "a list of path parts joined with \"/\"; a part that begins with \"/\" starts anew") \
	X("pow", filter_pow, "exponent", 1, 0, "x to the power of exponent, as a float") \
	X("product", filter_product, "*,**", 0, 0, "every combination of items of the lists") \
	X("quote", filter_quote, "", 0, 0, "one word for a shell") \
	X("regex_escape", filter_regex_escape, "re_type", 0, 0, "text with its regex characters escaped") \
	X("regex_findall", filter_regex_findall, "regex,multiline,ignorecase", 1, 0, "every match, or its groups") \
	X("regex_replace", filter_regex_replace, "pattern,replacement,ignorecase,multiline,count", 0, 0, \
	  "matches replaced; \\\\1 or \\\\g<name> is a group") \
	X("regex_search", filter_regex_search, "regex,*,**", 1, 0, \
	  "the match, or null; the groups named by '\\\\1' or '\\\\g<name>' as a list") \
	X("reject", filter_reject, "*,**", 0, ROW_PASS, "items that fail a test (no test: that are false)") \
	X("rejectattr", filter_rejectattr, "*,**", 0, ROW_PASS, "items whose attribute fails a test") \
	X("replace", filter_replace, "old,new,count", 2, 0, "text with old replaced by new") \
	X("reverse", filter_reverse, "", 0, 0, "items or characters backwards") \
	X("root", filter_root, "base", 0, 0, "square root, or the base-th") \
	X("round", filter_round, "precision,method", 0, 0, \
	  "rounded to precision digits; method common, ceil or floor; a float stays a float") \
	X("safe", filter_string, "", 0, 0, "as text: nothing is escaped here anyway") \
	X("select", filter_select, "*,**", 0, ROW_PASS, "items that pass a test (no test: that are true)") \
	X("selectattr", filter_selectattr, "*,**", 0, ROW_PASS, "items whose attribute passes a test") \
	X("sha1", filter_checksum, "", 0, 0, "SHA-1 as hex") \
	X("slice", filter_slice, "slices,fill_with", 1, 0, "that many lists of about the same length") \
	X("sort", filter_sort, "reverse,case_sensitive,attribute", 0, 0, \
	  "sorted, equal items keep their order; text without regard to case") \
	X("split", filter_split, "sep,maxsplit", 0, 0, "text cut at sep, or at whitespace") \
	X("splitext", filter_splitext, "", 0, 0, "(path without its extension, extension)") \
	X("strftime", filter_strftime, "second,utc", 0, 0, "a time by a format: '%Y-%m-%d' | strftime(seconds), UTC") \
	X("string", filter_string, "", 0, 0, "as text") \
	X("subelements", filter_subelements, "subelements,skip_missing", 1, 0, \
	  "(item, element) for each element of a list inside each item") \
	X("sum", filter_sum, "attribute,start", 0, 0, "the numbers added up") \
	X("symmetric_difference", filter_symmetric_difference, "b", 1, 0, \
	  "items that are in one of the two lists only") \
	X("ternary", filter_ternary, "true_val,false_val,none_val", 2, ROW_ARGS | ROW_PASS, \
	  "true_val or false_val; none_val when null") \
	X("title", filter_title, "", 0, 0, "first letter of each word upper case") \
	X("to_json", filter_to_json, "indent,sort_keys,ensure_ascii", 0, 0, \
	  "JSON on one line, with \", \" and \": \", other than ASCII as \\\\uXXXX") \
	X("to_nice_json", filter_to_nice_json, "indent,sort_keys,ensure_ascii", 0, 0, \
	  "JSON on many lines, keys sorted, indented by 4") \
	X("to_nice_yaml", filter_to_nice_yaml, "indent,sort_keys", 0, 0, "block YAML, keys sorted, indented by 4") \
	X("to_uuid", filter_to_uuid, "namespace", 0, 0, \
	  "the UUID that belongs to a text (version 5), in Ansible's namespace or that of a UUID") \
	X("to_yaml", filter_to_yaml, "indent,sort_keys", 0, 0, "block YAML, keys sorted, indented by 2") \
	X("tojson", filter_tojson, "indent", 0, 0, "JSON safe inside HTML, keys sorted") \
	X("trim", filter_trim, "chars", 0, 0, "text without whitespace, or chars, at both ends") \
	X("truncate", filter_truncate, "length,killwords,end,leeway", 0, 0, \
	  "cut to length (255) at a word, with end (...)") \
	X("type_debug", filter_type_debug, "", 0, ROW_UNDEF | ROW_PASS, "Python's name of its type") \
	X("union", filter_union, "b", 1, 0, "items of both lists, each once") \
	X("unique", filter_unique, "case_sensitive,attribute", 0, 0, \
	  "each item once, in order; text without regard to case") \
	X("upper", filter_upper, "", 0, 0, "upper case") \
	X("urldecode", filter_urldecode, "", 0, 0, "text out of a URL") \
	X("urlencode", filter_urlencode, "", 0, 0, "text for a URL; a map as a=1&b=2") \
	X("urlsplit", filter_urlsplit, "query", 0, 0, \
	  "the parts of a URL as a map, or one: scheme, netloc, hostname, port, username, password, path, query, fragment") \
	X("values", filter_values, "", 0, 0, "a map's values") \
	X("wordcount", filter_wordcount, "", 0, 0, "number of words") \
	X("wordwrap", filter_wordwrap, "width,break_long_words,wrapstring", 0, 0, \
	  "lines of at most width (79) characters, broken at blanks") \
	X("zip", filter_zip, "*", 0, 0, "lists of the first items, the second items, ...") \
	X("zip_longest", filter_zip_longest, "*,**", 0, 0, "as zip, to the end of the longest, with fillvalue")

#define TESTS(X) \
	X("!=", test_ne, "b", 1, 0, "differs from b") \
	X("<", test_lt, "b", 1, 0, "less than b") \
	X("<=", test_le, "b", 1, 0, "at most b") \
	X("==", test_eq, "b", 1, 0, "equal to b") \
	X(">", test_gt, "b", 1, 0, "greater than b") \
	X(">=", test_ge, "b", 1, 0, "at least b") \
	X("abs", test_abs, "", 0, 0, "an absolute path") \
	X("all", test_all, "", 0, 0, "every item counts as true") \
	X("any", test_any, "", 0, 0, "some item counts as true") \
	X("boolean", test_boolean, "", 0, ROW_UNDEF | ROW_PASS, "true or false") \
	X("callable", test_callable, "", 0, ROW_UNDEF | ROW_PASS, "a macro or function") \
	X("contains", test_contains, "b", 1, 0, "b is in it") \
	X("defined", test_defined, "", 0, ROW_UNDEF | ROW_PASS, "there is such a name or member") \
	X("divisibleby", test_divisibleby, "num", 1, 0, "divided by num without rest") \
	X("eq", test_eq, "b", 1, 0, "equal to b") \
	X("equalto", test_eq, "b", 1, 0, "equal to b") \
	X("escaped", test_escaped, "", 0, ROW_UNDEF | ROW_PASS, "never: nothing is escaped here") \
	X("even", test_even, "", 0, 0, "an even number") \
	X("false", test_false, "", 0, ROW_UNDEF, "the boolean false") \
	X("falsy", test_falsy, "convert_bool", 0, 0, "counts as false; with convert_bool also 'no', 'off'") \
	X("filter", test_filter, "", 0, ROW_PASS, "the name of a filter") \
	X("float", test_float, "", 0, ROW_UNDEF | ROW_PASS, "a float") \
	X("ge", test_ge, "b", 1, 0, "at least b") \
	X("greaterthan", test_gt, "b", 1, 0, "greater than b") \
	X("gt", test_gt, "b", 1, 0, "greater than b") \
	X("in", test_in, "seq", 1, 0, "is in seq") \
	X("integer", test_integer, "", 0, ROW_UNDEF | ROW_PASS, "an integer") \
	X("isnan", test_nan, "", 0, 0, "same as nan") \
	X("issubset", test_subset, "b", 1, 0, "same as subset") \
	X("issuperset", test_superset, "b", 1, 0, "same as superset") \
	X("iterable", test_iterable, "", 0, ROW_PASS, "a list, map or string") \
	X("le", test_le, "b", 1, 0, "at most b") \
	X("lessthan", test_lt, "b", 1, 0, "less than b") \
	X("lower", test_lower, "", 0, 0, "text in lower case") \
	X("lt", test_lt, "b", 1, 0, "less than b") \
	X("mapping", test_mapping, "", 0, ROW_UNDEF | ROW_PASS, "a map") \
	X("match", test_match, "pattern,ignorecase,multiline", 0, 0, "a regex matches at the beginning") \
	X("nan", test_nan, "", 0, 0, "a float that is no number") \
	X("ne", test_ne, "b", 1, 0, "differs from b") \
	X("none", test_none, "", 0, ROW_UNDEF | ROW_PASS, "null") \
	X("number", test_number, "", 0, ROW_UNDEF | ROW_PASS, "an integer, a float or a boolean") \
	X("odd", test_odd, "", 0, 0, "an odd number") \
	X("regex", test_regex, "pattern,ignorecase,multiline,match_type", 0, 0, \
	  "a regex matches; match_type search, match or fullmatch") \
	X("sameas", test_sameas, "other", 1, ROW_UNDEF | ROW_PASS, \
	  "the same object: true, false and null are, equal texts need not be") \
	X("search", test_search, "pattern,ignorecase,multiline", 0, 0, "a regex matches anywhere") \
	X("sequence", test_sequence, "", 0, ROW_UNDEF | ROW_PASS, "a list, a string or a map") \
	X("string", test_string, "", 0, ROW_UNDEF | ROW_PASS, "a string") \
	X("subset", test_subset, "b", 1, 0, "every item is in b") \
	X("superset", test_superset, "b", 1, 0, "holds every item of b") \
	X("test", test_test, "", 0, ROW_PASS, "the name of a test") \
	X("true", test_true, "", 0, ROW_UNDEF, "the boolean true") \
	X("truthy", test_truthy, "convert_bool", 0, 0, "counts as true; with convert_bool 'no' and 'off' do not") \
	X("undefined", test_undefined, "", 0, ROW_UNDEF | ROW_PASS, "there is no such name or member") \
	X("upper", test_upper, "", 0, 0, "text in upper case") \
	X("version", test_version, "version,operator", 1, 0, "compares versions: v is version('14.2', '>=')") \
	X("version_compare", test_version, "version,operator", 1, 0, "same as version")

#define METHODS(X) \
	X("append", method_append, "object", 1, ROW_LIST | ROW_CHANGES | ROW_PASS, "add an item at the end") \
	X("capitalize", filter_capitalize, "", 0, ROW_STR, "first letter upper case, the others lower") \
	X("center", method_center, "width,fillchar", 1, ROW_STR, "in the middle of width columns") \
	X("clear", method_clear, "", 0, ROW_LIST | ROW_MAP | ROW_CHANGES | ROW_PASS, "remove everything") \
	X("copy", method_copy, "", 0, ROW_LIST | ROW_MAP, "another list or map with the same items") \
	X("count", method_count, "sub", 1, ROW_STR | ROW_LIST, "how often it occurs") \
	X("endswith", method_endswith, "suffix", 1, ROW_STR, "ends in the suffix, or one of a tuple of them") \
	X("expandtabs", method_expandtabs, "tabsize", 0, ROW_STR, "tabs as blanks") \
	X("extend", method_extend, "iterable", 1, ROW_LIST | ROW_CHANGES | ROW_PASS, "add every item of another list") \
	X("find", method_find, "sub,start,end", 1, ROW_STR, "where it occurs first, or -1") \
	X("format", method_format, "*,**", 0, ROW_STR, "\"{} {name:>8}\".format(a, name=b)") \
	X("get", method_get, "key,default", 1, ROW_MAP | ROW_ARGS | ROW_PASS, \
	  "the value of a key, or default, or null") \
	X("index", method_index, "sub", 1, ROW_STR | ROW_LIST, "where it occurs first; an error when nowhere") \
	X("insert", method_insert, "index,object", 2, ROW_LIST | ROW_CHANGES | ROW_PASS, \
	  "add an item before the index") \
	X("isalnum", method_isalnum, "", 0, ROW_STR, "letters and digits only") \
	X("isalpha", method_isalpha, "", 0, ROW_STR, "letters only") \
	X("isdecimal", method_isdigit, "", 0, ROW_STR, "digits only") \
	X("isdigit", method_isdigit, "", 0, ROW_STR, "digits only") \
	X("islower", method_islower, "", 0, ROW_STR, "has letters, none upper case") \
	X("isnumeric", method_isdigit, "", 0, ROW_STR, "digits only") \
	X("isspace", method_isspace, "", 0, ROW_STR, "whitespace only") \
	X("isupper", method_isupper, "", 0, ROW_STR, "has letters, none lower case") \
	X("items", filter_items, "", 0, ROW_MAP, "(key, value) of each entry") \
	X("join", method_join, "iterable", 1, ROW_STR, "the strings of a list with this between them") \
	X("keys", method_keys, "", 0, ROW_MAP, "the keys") \
	X("ljust", method_ljust, "width,fillchar", 1, ROW_STR, "filled up on the right") \
	X("lower", filter_lower, "", 0, ROW_STR, "lower case") \
	X("lstrip", method_lstrip, "chars", 0, ROW_STR, "without whitespace, or chars, at the beginning") \
	X("partition", method_partition, "sep", 1, ROW_STR, "(before, sep, after) at the first sep") \
	X("pop", method_pop, "index,default", 0, ROW_LIST | ROW_MAP | ROW_CHANGES | ROW_PASS, \
	  "take out and give an item (the last) or a key's value") \
	X("remove", method_remove, "value", 1, ROW_LIST | ROW_CHANGES | ROW_PASS, \
	  "remove the first item equal to value") \
	X("removeprefix", method_removeprefix, "prefix", 1, ROW_STR, "without the prefix") \
	X("removesuffix", method_removesuffix, "suffix", 1, ROW_STR, "without the suffix") \
	X("replace", filter_replace, "old,new,count", 2, ROW_STR, "with old replaced by new") \
	X("reverse", method_reverse, "", 0, ROW_LIST | ROW_CHANGES | ROW_PASS, "turn it around in place") \
	X("rfind", method_rfind, "sub,start,end", 1, ROW_STR, "where it occurs last, or -1") \
	X("rjust", method_rjust, "width,fillchar", 1, ROW_STR, "filled up on the left") \
	X("rpartition", method_rpartition, "sep", 1, ROW_STR, "(before, sep, after) at the last sep") \
	X("rsplit", method_rsplit, "sep,maxsplit", 0, ROW_STR, "cut at sep from the right") \
	X("rstrip", method_rstrip, "chars", 0, ROW_STR, "without whitespace, or chars, at the end") \
	X("setdefault", method_setdefault, "key,default", 1, ROW_MAP | ROW_CHANGES | ROW_PASS, \
	  "the key's value; default is put there first when it has none") \
	X("sort", method_sort, "reverse", 0, ROW_LIST | ROW_CHANGES | ROW_PASS, "sort in place") \
	X("split", filter_split, "sep,maxsplit", 0, ROW_STR, "cut at sep, or at whitespace") \
	X("splitlines", method_splitlines, "keepends", 0, ROW_STR, "the lines") \
	X("startswith", method_startswith, "prefix", 1, ROW_STR, "begins with the prefix, or one of a tuple of them") \
	X("strip", filter_trim, "chars", 0, ROW_STR, "without whitespace, or chars, at both ends") \
	X("swapcase", method_swapcase, "", 0, ROW_STR, "upper for lower case and the other way") \
	X("title", method_title, "", 0, ROW_STR, "first letter of each word upper case") \
	X("update", method_update, "*,**", 0, ROW_MAP | ROW_CHANGES | ROW_PASS, \
	  "set the entries of another map, and keywords") \
	X("upper", filter_upper, "", 0, ROW_STR, "upper case") \
	X("values", filter_values, "", 0, ROW_MAP, "the values") \
	X("zfill", method_zfill, "width", 1, ROW_STR, "zeros on the left, after the sign")

#define GLOBALS(X) \
	X("cycler", global_cycler, "*", 1, ROW_PASS, "an object that gives its items in turn when called") \
	X("dict", global_dict, "*,**", 0, ROW_PASS, "a map from keywords, a map or (key, value) pairs") \
	X("joiner", global_joiner, "sep", 0, ROW_PASS, "nothing when first called, then sep (\", \")") \
	X("namespace", global_namespace, "*,**", 0, ROW_PASS, "an object whose members can be set from inside loops") \
	X("range", global_range, "*", 1, 0, "range(end), range(start, end), range(start, end, step)")

#define ROW_PROTO(name, fn, params, min, flags, text) struct value *fn(struct call *k);
FILTERS(ROW_PROTO)
TESTS(ROW_PROTO)
METHODS(ROW_PROTO)
GLOBALS(ROW_PROTO)
#undef ROW_PROTO

/* shared among the files of filters */
struct value *list_concat(struct call *k, const struct value *x, const struct value *y);
bool list_has(struct call *k, const struct value *list, const struct value *v, bool fold);
struct value *str_pad(struct call *k, const char *s, size_t n, int64_t width, const char *fill, int side);
struct value *str_strip(struct call *k, const char *chars, bool left, bool right);
struct value *str_split(struct call *k, bool right);

#endif
