# What a machine is asked about its processes, and how they are signalled there: POSIX sh and Linux's /proc.
#
# The `sh` at the other end of an SSH connection reads it once; requests follow, one a line. A process is
# PID:STARTED:BOOT, its number, its start in clock ticks, and the boot of its machine: that names one for ever.
# A signal is sent right after all three were compared. A number that changed hands within those microseconds
# would be hit; on the machine that we run on, a pidfd closes that gap as well.

read -r boot </proc/sys/kernel/random/boot_id

# look PID: sets state, parent, flags and started; fails when there is no such process, or a zombie.
look() {
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    set -- ${line##*) } # the name before it may hold spaces and brackets
    state=$1 parent=$2 flags=$7 started=${20}
    [ "$state" != Z ] && [ "$state" != X ]
}

# same PROCESS: whether it is there still.
same() {
    look "${1%%:*}" && [ "${1#*:}" = "$started:$boot" ]
}

# dying PID: whether the kernel takes it apart (PF_EXITING), or is about to (SIGKILL is pending).
dying() {
    [ $((flags & 4)) -ne 0 ] && return 0
    while read -r key mask; do
        case $key$mask in SigPnd:*[13579bdf]?? | ShdPnd:*[13579bdf]??) return 0 ;; esac
    done 2>/dev/null <"/proc/$1/status"
    return 1
}

# states PROCESS …: a word a line.
states() {
    for each; do
        if ! same "$each"; then echo gone
        elif dying "${each%%:*}"; then echo dying
        elif [ "$state" = T ]; then echo stopped
        else echo running
        fi
    done
}

# signal NAME PROCESS …: to each that is the same still, in this order.
signal() {
    name=$1 refused=
    shift
    for each; do
        same "$each" || continue
        kill -s "$name" "${each%%:*}" 2>/dev/null || { same "$each" && refused="$refused ${each%%:*}"; }
    done
    [ -z "$refused" ] || { echo "may not signal the process$refused" && return 1; }
}

# everyone: PROCESS PARENT, a line each.
everyone() {
    for place in /proc/[0-9]*; do
        look "${place#/proc/}" && echo "${place#/proc/}:$started:$boot $parent"
    done
    return 0
}

# named FILE: the process whose number is the file's first line; nothing when there is no file or no process.
named() {
    number=
    { read -r number <"$1"; } 2>/dev/null
    case $number in '' | *[!0-9]*) return 0 ;; esac
    look "$number" && echo "$number:$started:$boot"
    return 0
}

# start TOKEN LOG PROGRAM ARGUMENT …: unless a program runs that was started under this token.
start() {
    token=$1 log=$2 tries=0
    shift 2
    command -v "$1" >/dev/null || { echo "there is no program $1" && return 1; }
    lock=${TMPDIR:-/tmp}/seatrial-$token
    until mkdir "$lock" 2>/dev/null || [ $((tries += 1)) -gt 5 ]; do sleep 1; done
    # Twice: while a program becomes another one (exec), it is shown without its environment.
    is_tagged || is_tagged_after_all || detached "$@"
    rmdir "$lock" 2>/dev/null
    return 0
}

is_tagged_after_all() {
    sleep 0.05 2>/dev/null || sleep 1
    is_tagged
}

is_tagged() { grep -qs "SEATRIAL_TAG=$token" /proc/[0-9]*/environ; }

# detached PROGRAM ARGUMENT …: in a session of its own where there is setsid. (A shell's own background jobs
# would ignore SIGINT and SIGQUIT, which is how some services are told to end.)
detached() {
    if setsid -f true 2>/dev/null; then
        SEATRIAL_TAG=$token setsid -f "$@" </dev/null >>"$log" 2>&1
    else
        SEATRIAL_TAG=$token nohup "$@" </dev/null >>"$log" 2>&1 &
        sleep 1 # until it can be found by its tag
    fi
}
