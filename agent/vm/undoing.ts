/** What the steps of making a machine share: how a call failed, and taking a step back. */
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { log } from "../log.ts";

/** Which way a call to libvirt failed; undefined for what was no call. */
export function kindOf(error: unknown): LibvirtError["kind"] | undefined {
  const thrown = error instanceof ContractError ? error.cause : error;
  return thrown instanceof LibvirtError ? thrown.kind : undefined;
}

/** One step back; what cannot be undone is told in the log, and the next is undone all the same. */
export function undoing(what: string, undo: () => Promise<unknown>): () => Promise<void> {
  return async () => {
    try {
      await undo();
    } catch (error) {
      log.error("what a failed creation had made could not be removed", { what, error });
    }
  };
}
