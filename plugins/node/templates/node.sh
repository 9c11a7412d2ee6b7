# Managed by pig. Settings of login shells.
export EDITOR="${EDITOR:-vi}" PAGER="${PAGER:-less}"
case ":$PATH:" in
*:/usr/pgsql/bin:*) ;;
*) [ ! -d /usr/pgsql/bin ] || PATH=$PATH:/usr/pgsql/bin ;;
esac
case ":$PATH:" in
*:/pg/bin:*) ;;
*) [ ! -d /pg/bin ] || PATH=$PATH:/pg/bin ;;
esac
export PATH

# what follows is for people, in bash
if [ -n "${BASH_VERSION:-}" ]; then
	case $- in
	*i*)
		HISTSIZE=65535
		HISTFILESIZE=65535
		HISTCONTROL=ignoreboth
		HISTTIMEFORMAT='%F %T '
		shopt -s histappend checkwinsize
		PS1='[\t] \u@\h:\w\$ '
		alias ll='ls -l --color=auto'
		alias la='ls -la --color=auto'
		alias p='sudo -iu postgres'
		alias pg='sudo -iu postgres psql'
		alias pt='sudo -iu postgres patronictl -c /etc/patroni/patroni.yml'
		;;
	esac
fi
