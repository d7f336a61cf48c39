/** virsh as users run it: a process for each command. `virsh()` of the test bed keeps one that stays, which measures no start. */
import { run } from "../testbed/process.ts";
import { URI } from "../testbed/virsh.ts";

/** Runs a command in a virsh of its own. @returns what it printed @throws {ProcessError} when it fails */
export function virshProcess(...args: string[]): Promise<string> {
  return run(["virsh", "--connect", URI, ...args]);
}
