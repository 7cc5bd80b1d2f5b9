# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# bash completion of mptcp-pmctl

_mptcp_pmctl_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_mptcp_pmctl_schedulers() {
	local dir file names=''
	for dir in ${MPTCP_PM_BPF_DIR:+"$MPTCP_PM_BPF_DIR"} /usr/lib/mptcp-pm/bpf; do
		for file in "$dir"/*.bpf.o; do
			[ -e "$file" ] || continue
			file=${file##*/}
			names+=" ${file%.bpf.o}"
		done
	done
	_mptcp_pmctl_words "$names"
}

_mptcp_pmctl_loaded() {
	local names=''
	[ -r /proc/mptcp_bpf ] && names=$(awk '!/^#/ { print $1 }' /proc/mptcp_bpf)
	_mptcp_pmctl_words "$names"
}

_mptcp_pmctl_tokens() {
	_mptcp_pmctl_words "$(mptcp-pmctl --color=never conn list 2>/dev/null |
		awk 'NR > 1 && $1 ~ /^[0-9a-f]+$/ { print $1 }')"
}

_mptcp_pmctl() {
	local cur prev verb='' sub='' nr=0 i word
	local globals='--json --pretty --verbose --quiet --color --help --version'
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--color | --netns | --module | --set | --token | --seconds | --count | --scheduler | --local | --remote | \
			--remote-port | --local-id | --remote-id | --dev | --port | --id | --policy | --when | --period | --alpha | --log | --to | --cgroup | --uid | --reset) i=$((i + 1)) ;;
		-*) ;;
		*)
			if [ -z "$verb" ]; then
				verb=$word
			elif [ -z "$sub" ]; then
				sub=$word
			elif [ "$sub" = subflow ] || [ "$sub" = learn ]; then
				sub="$sub $word"
			elif [ "$verb-$sub" = "conn-subflow backup" ]; then
				nr=$((nr + 1))
			fi
			;;
		esac
	done
	case $prev in
	--color) _mptcp_pmctl_words 'auto always never' && return ;;
	--netns) _mptcp_pmctl_words "$(ip netns list 2>/dev/null | awk '{ print $1 }')" && return ;;
	--log) _mptcp_pmctl_words 'error warning info debug' && return ;;
	--uid) mapfile -t COMPREPLY < <(compgen -u -- "$cur") && return ;;
	--module | --policy)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--local) _mptcp_pmctl_words "$(ip -br addr show scope global 2>/dev/null |
		awk '{ for (i = 3; i <= NF; i++) { sub("/.*", "", $i); print $i } }')" && return ;;
	--dev) _mptcp_pmctl_words "$(ip -br link show 2>/dev/null | awk '{ sub("@.*", "", $1); print $1 }')" && return ;;
	--reset) _mptcp_pmctl_words 'unspecified mptcp-specific-error lack-of-resources administratively-prohibited
		too-much-outstanding-data unacceptable-performance middlebox-interference' && return ;;
	--when) _mptcp_pmctl_words 'rtt= rto= loss= resent= timeouts= stall=' && return ;;
	--set | --seconds | --count | --period | --alpha | --remote | --remote-port | --local-id | --remote-id | --port | --id | --to | --cgroup) return ;;
	--token) _mptcp_pmctl_tokens && return ;;
	--scheduler) _mptcp_pmctl_loaded && return ;;
	esac
	if [ -z "$verb" ]; then
		_mptcp_pmctl_words "status check apply daemon reload explain unload sched conn path establish monitor endpoint doctor version $globals"
		return
	fi
	if [[ $cur == -* ]]; then
		case $verb-$sub in
		status-* | endpoint-* | reload-* | path-list | path-down | path-up | path-health | establish-list | conn-list | conn-show)
			_mptcp_pmctl_words "--netns $globals"
			;;
		check-*) _mptcp_pmctl_words "--schema $globals" ;;
		apply-*) _mptcp_pmctl_words "--netns --dry-run --force --for-daemon --module $globals" ;;
		daemon-*) _mptcp_pmctl_words "--netns --policy --log $globals" ;;
		explain-*) _mptcp_pmctl_words "--to --cgroup --uid --netns $globals" ;;
		unload-*) _mptcp_pmctl_words "--netns --force --all $globals" ;;
		sched-load) _mptcp_pmctl_words "--set --module $globals" ;;
		sched-unload) _mptcp_pmctl_words "--force $globals" ;;
		sched-trace) _mptcp_pmctl_words "--token --seconds --netns $globals" ;;
		'conn-subflow add')
			_mptcp_pmctl_words "--local --dev --remote --remote-port --local-id --remote-id --backup --netns $globals"
			;;
		'conn-subflow del') _mptcp_pmctl_words "--local --remote --reset --transient --netns $globals" ;;
		'conn-subflow backup') _mptcp_pmctl_words "--local --remote --netns $globals" ;;
		conn-announce) _mptcp_pmctl_words "--port --id --dev --netns $globals" ;;
		conn-withdraw) _mptcp_pmctl_words "--netns $globals" ;;
		path-watch) _mptcp_pmctl_words "--policy --when --period --alpha --seconds --count --netns $globals" ;;
		monitor-*) _mptcp_pmctl_words "--token --current --seconds --count --netns $globals" ;;
		establish-watch) _mptcp_pmctl_words "--seconds --netns $globals" ;;
		'path-learn show' | 'path-learn forget') _mptcp_pmctl_words "--dev --to --netns $globals" ;;
		conn-set) _mptcp_pmctl_words "--scheduler --netns $globals" ;;
		doctor-*) _mptcp_pmctl_words "--module $globals" ;;
		*) _mptcp_pmctl_words "$globals" ;;
		esac
		return
	fi
	case $verb-$sub in
	check-* | apply-*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	explain-) _mptcp_pmctl_tokens ;;
	path-) _mptcp_pmctl_words 'list health watch down up learn' ;;
	path-down | path-up) _mptcp_pmctl_words "$(mptcp-pmctl --color=never path list 2>/dev/null |
		awk 'NR > 1 && !seen[$1]++ { print $1 }')" ;;
	sched-) _mptcp_pmctl_words 'list load show unload trace' ;;
	conn-) _mptcp_pmctl_words 'list show set subflow announce withdraw' ;;
	conn-subflow) _mptcp_pmctl_words 'add del backup' ;;
	'conn-subflow backup')
		case $nr in
		0) _mptcp_pmctl_tokens ;;
		1) _mptcp_pmctl_words 'on off' ;;
		esac
		;;
	conn-show | conn-set | conn-announce | conn-withdraw | 'conn-subflow add' | 'conn-subflow del')
		_mptcp_pmctl_tokens
		;;
	sched-load) _mptcp_pmctl_schedulers ;;
	sched-show | sched-unload) _mptcp_pmctl_loaded ;;
	establish-) _mptcp_pmctl_words 'list watch' ;;
	endpoint-) _mptcp_pmctl_words 'list' ;;
	path-learn) _mptcp_pmctl_words 'show forget' ;;
	esac
}

complete -o filenames -F _mptcp_pmctl mptcp-pmctl
