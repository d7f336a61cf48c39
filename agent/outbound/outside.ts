/** Refuses what leads outside where that is closed. */
import { outsideClosed } from "../../ffi/outside.ts";
import { ContractError } from "../../lib/contract/errors.ts";

/** @throws {ContractError} HostUnreachable, with why nothing outside is connected to */
export function requireOutside(): void {
  const reason = outsideClosed();
  if (reason !== undefined) throw new ContractError("HostUnreachable", { reason });
}
