/** KVM Manager's public SSH key, for pages that have people copy it. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { PageState } from "../../lib/page_state.ts";

/** The key; undefined where none can be made: what needs it says why. */
export async function publicSshKey(api: PageState["api"]): Promise<string | undefined> {
  try {
    return (await api.getSshKey()).publicKey;
  } catch (error) {
    if (error instanceof ContractError) return undefined;
    throw error;
  }
}
