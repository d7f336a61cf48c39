/** Calls in libvirtd's own log (`1:libvirt`): every call of its API that names a VM. */

/** Log filters of a private libvirtd for {@link callsOf}. */
export const CALLS_LOGGED = "1:libvirt 4:util 4:rpc";

/** One call. */
export interface LoggedCall {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `virDomainOpenChannel`. */
  readonly name: string;
  /** UUID of the VM. */
  readonly vm: string;
}

const LINE =
  /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\+0000: \d+: debug : (vir\w+):\d+ : dom=\S+ \(VM: name=.*?, uuid=([0-9a-f-]{36})\)/;

/** The calls in a log, the oldest first. @param text the log */
export function callsOf(text: string): LoggedCall[] {
  return text.split("\n").flatMap((line) => {
    const [, day, time, name, vm] = LINE.exec(line) ?? [];
    return day === undefined ? [] : [{ at: Date.parse(`${day}T${time}Z`), name: name!, vm: vm! }];
  });
}
