/** One command on several VMs. Never all-or-nothing: each VM has its own result. */
import type { BatchOperationResult, ContractError } from "../../../lib/contract/mod.ts";

/** VMs worked on at the same time. */
const AT_ONCE = 4;

/** Result of a batch; errors name VMs by their ids until they are reported. */
export interface BatchResult extends Omit<BatchOperationResult, "results"> {
  readonly results: { readonly vmId: string; readonly success: boolean; readonly error?: ContractError }[];
}

/** Runs `one` for every VM, a few at a time, and reports each. Results are in the order of `vmIds`. */
export async function batch(
  vmIds: readonly string[],
  one: (vmId: string) => Promise<unknown>,
  asError: (thrown: unknown) => ContractError,
): Promise<BatchResult> {
  const results: BatchResult["results"] = new Array(vmIds.length);
  let next = 0;
  const work = async () => {
    while (next < vmIds.length) {
      const index = next++;
      const vmId = vmIds[index]!;
      try {
        await one(vmId);
        results[index] = { vmId, success: true };
      } catch (thrown) {
        results[index] = { vmId, success: false, error: asError(thrown) };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, vmIds.length) }, work));
  const succeeded = results.filter((result) => result.success).length;
  return { results, succeeded, failed: results.length - succeeded };
}
