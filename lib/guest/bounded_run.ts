/**
 * Running a program of a Linux guest within bounds. The guest agent bounds nothing: a program that does not end runs for
 * ever, and one that writes more than libvirt passes on has its agent cut off. So a script runs it, which is always the
 * same: the program and its arguments are the script's own arguments, never a part of its text. Pure.
 */

/**
 * `$1` bytes of each output, `$2` seconds, then the program. File descriptor 3 takes the exit status past the pipes that
 * cut the outputs off, 4 and 5 are the outputs themselves. `timeout` is left out where a guest has none.
 */
const SCRIPT = `n=$1 t=$2
shift 2
if command -v timeout >/dev/null; then set -- timeout -k 5 "$t" "$@"; fi
exec 4>&1 5>&2
s=$({ { { "$@" 3>&- 4>&- 5>&- 6>&-; echo $? >&3; } 2>&6 | head -c "$n" >&4 3>&- 6>&-; } 6>&1 | head -c "$n" >&5 3>&-; } 3>&1)
exit "$s"`;

/** Exit status of a program that was ended at its time limit. */
export const TIMED_OUT = 124;
/** Exit statuses of `timeout` after a timeout: GNU's own one, busybox's that of the signal. */
export const ENDED: ReadonlySet<number> = new Set([TIMED_OUT, 128 + 15, 128 + 9]);

/** Name of the shell that every Linux system has. */
export const SHELL = "/bin/sh";

/** The shell's arguments that run a program within bounds. */
export function boundedArgs(
  { command, args, most, seconds }: {
    command: string;
    args: readonly string[];
    most: number;
    seconds: number;
  },
): string[] {
  return ["-c", SCRIPT, "sh", String(most), String(seconds), command, ...args];
}
