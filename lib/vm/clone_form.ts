/** The form of a clone, with script and without. */
import type { ClonedTpm, Input } from "../contract/mod.ts";

/** Fields of the form in addition to the name. */
export interface CloneRequest {
  readonly linked: boolean;
  /** The snapshot whose disks are copied; empty: as they are now. */
  readonly snapshot: string;
  /** Undefined where the VM has no TPM to copy. */
  readonly tpm: ClonedTpm | undefined;
}

/** Reads it. */
export function cloneWishIn(form: FormData): CloneRequest {
  const tpm = form.get("tpm");
  return {
    linked: form.get("disks") === "linked",
    snapshot: String(form.get("snapshot") ?? ""),
    tpm: tpm === null ? undefined : tpm === "new" ? "new" : "copy",
  };
}

/** The command's fields. */
export const cloneInput = (
  { linked, snapshot, tpm }: CloneRequest,
): Omit<Input<"clone_vm">, "vmId" | "name"> => ({
  linked,
  ...(snapshot !== "" && { snapshot }),
  ...(tpm !== undefined && { tpm }),
});
