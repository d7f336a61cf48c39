/** Output of `sanlock client status`, as far as it is about libvirt's disks. Source: sanlock's client_cmd.c. Pure. */

/** The lockspace that libvirt makes for disks. */
const LOCKSPACE = "__LIBVIRT__DISKS__";

/** The daemon's lockspace and leases for libvirt. */
export interface SanlockStatus {
  /** `NUMBER:FOLDER` that it has joined. */
  readonly joined: string | null;
  /** Names of the leases that are held; see `trial_lease.ts`. */
  readonly leases: readonly string[];
}

/** sanlock writes a colon and a backslash of a path with a backslash before it. */
const unescaped = (text: string) => text.replace(/\\(.)/g, "$1");

/** Reads it; lines of other lockspaces are left out. */
export function readSanlockStatus(text: string): SanlockStatus {
  let joined: string | null = null;
  const leases: string[] = [];
  for (const line of text.split("\n")) {
    const space = new RegExp(`^s ${LOCKSPACE}:(\\d+):(.+)/${LOCKSPACE}:\\d+`).exec(line);
    if (space !== null) joined = `${space[1]}:${unescaped(space[2]!)}`;
    const lease = new RegExp(`^r ${LOCKSPACE}:([0-9a-f]{32}):`).exec(line);
    if (lease !== null) leases.push(lease[1]!);
  }
  return { joined, leases };
}
