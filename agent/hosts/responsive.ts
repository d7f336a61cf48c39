/** Refusing what a VM that does not respond would be asked for. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { VM } from "../../lib/contract/vm.ts";

/** @throws {ContractError} VmNotResponding */
export function requireResponsive({ notResponding }: Pick<VM, "notResponding">): void {
  if (notResponding === undefined) return;
  const { since, call } = notResponding;
  throw new ContractError("VmNotResponding", { since: new Date(since).toISOString(), call });
}
