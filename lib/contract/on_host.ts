/** Host that a command, an event or a row is about. */
import Type, { type TProperties, type TSchema } from "typebox";
import { LOCAL_HOST } from "./local_host.ts";
import type { Command } from "./command.ts";

/** Name of a host, as VMs tell it. */
export const HostName = Type.String({
  maxLength: 64,
  pattern: "^[A-Za-z0-9][A-Za-z0-9.-]*$",
  description: "the host that is meant; the one KVM Manager runs on when left out",
});

/** The field as it is told of another host; nothing of the local one. */
export const toldHost = { host: Type.Optional(Type.String({ description: "missing: the local host" })) };

/** The field of a host with this id. */
export function hostField(id: string): { readonly host?: string } {
  return id === LOCAL_HOST ? {} : { host: id };
}

/** The field, where a command has it. */
export interface OnHost {
  readonly host?: string;
}

/**
 * Gives commands the optional field `host`, unless the VM they must name tells it.
 *
 * @throws {Error} when a command has a field of that name for something else
 */
export function onHost<T extends Readonly<Record<string, Command>>>(commands: T): T {
  const given = Object.entries(commands).map(([name, each]): [string, Command] => {
    const input = each.input as TSchema & { properties?: TProperties; required?: readonly string[] };
    if (input.properties === undefined || input.required?.includes("vmId")) return [name, each];
    if ("host" in input.properties) throw new Error(`${name} has a field host: it is where the command runs`);
    const properties = { ...input.properties, host: Type.Optional(HostName) };
    // Next to a body, it travels in the query
    const contentFields = each.content && { contentFields: [...each.contentFields ?? [], "host"] };
    return [name, { ...each, ...contentFields, input: { ...input, properties } }];
  });
  return Object.fromEntries(given) as T;
}
