/** A name for a VM that a test has the product make, and the VM's removal. */
import { releaseName, testName } from "./names.ts";
import { removeDomain, removeFiles } from "./removal.ts";

/** A name of the test's own; with it go the VM and its files. */
export interface ClaimedVm extends AsyncDisposable {
  readonly name: string;
}

/** Takes a name. */
export async function claimedVm(purpose: string): Promise<ClaimedVm> {
  const name = await testName(purpose);
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await removeFiles(name);
      await releaseName(name);
    },
  };
}
