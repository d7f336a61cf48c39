/** Templates that are worked on: by their ids, as they are renamed meanwhile. */
import { ContractError } from "../../lib/contract/mod.ts";
import { LOCKS_HERE, NO_POOL } from "../storage/locks.ts";
import type { StoredTemplate } from "./records.ts";

/** Name of a template as the user of a volume, and as the subject of an operation. */
export const labelOf = (name: string): string => `template ${name}`;

/** Keeps others from a template, under whatever name, until disposed of. @throws {ContractError} StorageBusy */
export function lockTemplate({ id, name }: Pick<StoredTemplate, "id" | "name">): Disposable {
  const held = `template ${id}`;
  if (LOCKS_HERE.isHeld(NO_POOL, held)) throw new ContractError("StorageBusy", { what: labelOf(name) });
  return LOCKS_HERE.take(NO_POOL, held);
}
