/** Replaces what libvirt keeps of a VM in addition to its disks: UEFI variables, a TPM's state. */
import { undefinedIfMissing } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { StateReplaced } from "../../operations/step.ts";

/** Files that take the place of others, and others that go. */
export type StateChange = Pick<StateReplaced, "moves" | "gone">;

/** Puts files in the place of others, each at once, and deletes those that go. What was done before stays as it is. */
export async function replaceState({ moves, gone }: StateChange): Promise<void> {
  for (const [from, to] of moves) await undefinedIfMissing(hostFiles.rename(plainPath(from), plainPath(to)));
  for (const path of gone) await undefinedIfMissing(hostFiles.remove(plainPath(path)));
}
