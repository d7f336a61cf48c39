/** Who asks, and what they may do. Until accounts exist, whoever reaches this server is the host's administrator. */
import { ContractError, type Role, ROLES } from "../lib/contract/mod.ts";

/** Ways in. */
export type Door = "page" | "api" | "socket";

/** Who makes a call, and by which way. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
  readonly door: Door;
}

/** Someone on this very host: the server listens on loopback and a root-only socket alone. */
export function localPrincipal(door: Door): Principal {
  return { name: door === "socket" ? "root" : "local", role: "administrator", door };
}

/** Whether a role includes another. */
export function includes(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** @throws {ContractError} Forbidden */
export function authorise(principal: Principal, needed: Role): void {
  if (!includes(principal.role, needed)) throw new ContractError("Forbidden", { role: needed });
}
