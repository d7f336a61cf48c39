/** Machines by name: people type `web1`, commands take ids. */
import { ApiError } from "../../lib/client/api.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { Server } from "../socket.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Fields that hold a machine's id, or several. */
const ID_FIELDS = ["vmId", "vmIds"] as const;

/**
 * Puts ids where an input names machines. What is neither an id nor a name is left as it is.
 *
 * @throws {ApiError} VmNotFound for a name no machine has
 */
export async function withIds(
  server: Server,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const given = ID_FIELDS.flatMap((field) => input[field] ?? []);
  if (given.every((each) => typeof each !== "string" || UUID.test(each))) return input;
  const vms = await server.call("get_vms", {}) as VM[];
  const idOf = (given: unknown): unknown => {
    if (typeof given !== "string" || UUID.test(given)) return given;
    const vm = vms.find(({ name }) => name === given);
    if (!vm) throw new ApiError("VmNotFound", `VM not found: ${given}`);
    return vm.id;
  };
  const changed = ID_FIELDS.filter((field) => input[field] !== undefined).map((field) => {
    const value = input[field];
    return [field, Array.isArray(value) ? value.map(idOf) : idOf(value)];
  });
  return { ...input, ...Object.fromEntries(changed) };
}
