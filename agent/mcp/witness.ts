/** State that a change is about: a hash that changes with it. */
import { createHash } from "node:crypto";
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { sharedInput } from "../../lib/mcp/catalogue.ts";
import { conditionsOn } from "../../lib/rest/resources.ts";
import { etagOf } from "../http/conditions.ts";
import { readOf } from "../http/rest.ts";

type Fields = Readonly<Record<string, unknown>>;
/** Calls a command as who plans. */
export type Read = (command: string, input: unknown) => Promise<unknown>;

/** State before a change. */
export interface Witness {
  readonly hash: string;
  /** Output of the command's own plan, if it has one. */
  readonly planned?: unknown;
}

/** Result of a read, or its error: that counts as well, since the change may be to create the object. */
async function seen(read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    // Who names a VM that there is not is told so now, and not once it is to be done
    if (!(error instanceof ContractError) || error.code === "VmNotFound") throw error;
    return { error: error.code };
  }
}

/**
 * Reads what a command is about: the thing that conditions of its REST route are about, each VM of a list, and its plan.
 *
 * @throws {ContractError} VmNotFound, HostNotFound
 */
export async function witnessOf(command: CommandName, input: Fields, read: Read): Promise<Witness> {
  const route = REST_ROUTES.find(({ name }) => name === command)!;
  const readable = conditionsOn(route), tags: string[] = [];
  if (readable !== undefined) tags.push(etagOf(await seen(() => readOf(read, readable, input))));
  const { vmIds } = input;
  for (const vmId of Array.isArray(vmIds) ? vmIds : []) {
    tags.push(etagOf(await seen(() => read("get_vm" satisfies CommandName, { vmId }))));
  }
  const { plan }: Command = COMMANDS[command];
  const planned = plan === undefined
    ? undefined
    : await seen(() => read(plan, sharedInput(input, COMMANDS[plan as CommandName])));
  if (planned !== undefined) tags.push(etagOf(planned));
  const hash = createHash("sha256").update(JSON.stringify(tags)).digest("hex");
  return { hash, ...(planned !== undefined && { planned }) };
}
