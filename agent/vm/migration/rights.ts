/** Permission to bring VMs to a host. */
import { needOf } from "../../../lib/access/permissions.ts";
import { type AccessObject, may, type Rights } from "../../../lib/access/rights.ts";
import { ContractError } from "../../../lib/contract/mod.ts";

/** A whole definition is given to libvirt, and volumes are made. */
const NEEDS = [needOf("migrate_vm").permission, "storage.operate"] as const;

/** @param host the object that the rights must be on @throws {ContractError} Forbidden */
export function requireMayBring(rights: Rights, host: AccessObject): void {
  if (NEEDS.every((need) => may(rights, need, host))) return;
  throw new ContractError("Forbidden", { role: "administrator" });
}
