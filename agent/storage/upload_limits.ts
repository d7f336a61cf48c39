/** How many uploads may be unfinished at once: each holds a volume, and while it runs a connection to libvirt. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { Principal } from "../access.ts";

/** Of one caller, and of all. */
const MOST_OF_ONE = 8, MOST = 32;
/** Names of uploads in an error. */
const MOST_NAMED = 8;

/** An upload that runs, or waits for its rest. */
export interface Unfinished {
  readonly pool: string;
  readonly name: string;
  /** The caller that it belongs to: `callerOf()`. */
  readonly caller: string;
}

/** The principal that an upload belongs to: the account, with all its sessions and tokens, if there is one. */
export const uploaderOf = ({ userId, holder }: Principal): string => userId ?? holder;

/** Whether a caller may begin one more. @throws {ContractError} TooManyUploads */
export function requirePlace(all: readonly Unfinished[], caller: string): void {
  const own = all.filter((each) => each.caller === caller);
  if (own.length < MOST_OF_ONE && all.length < MOST) return;
  const [whose, limit] = own.length < MOST_OF_ONE ? ["of all users", MOST] : ["of yours", MOST_OF_ONE];
  const names = own.slice(0, MOST_NAMED).map(({ pool, name }) => `${pool}/${name}`).join(", ");
  throw new ContractError("TooManyUploads", {
    whose,
    limit,
    names: names === "" ? "none of them yours" : names,
  });
}
