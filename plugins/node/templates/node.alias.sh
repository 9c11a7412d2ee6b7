# Managed by pig: node_aliases.
{% for name, command in node_aliases | dictsort %}
alias {{ name }}={{ command | string | quote }}
{% endfor %}
