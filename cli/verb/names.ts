/** Things by name: people type `web1`, commands take ids. */
import { ApiError } from "../../lib/client/api.ts";
import { type CommandName, type ErrorCode, errorText } from "../../lib/contract/mod.ts";
import type { Server } from "../connect/server.ts";
import { isRow } from "./cells.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A kind of thing that has an id. */
interface Thing {
  /** The command that lists them, and what it is asked. */
  readonly list: readonly [command: CommandName, input: Record<string, unknown>];
  /** What they are called; without it the beginning of an id will do. */
  readonly name?: string;
  readonly missing: ErrorCode;
}

const VMS: Thing = { list: ["get_vms", {}], name: "name", missing: "VmNotFound" };

/** Fields that hold an id → of what. */
export const THINGS: Readonly<Record<string, Thing>> = {
  vmId: VMS,
  vmIds: VMS,
  userId: { list: ["list_users", {}], name: "name", missing: "UserNotFound" },
  tokenId: { list: ["list_tokens", {}], name: "name", missing: "TokenNotFound" },
  sessionId: { list: ["list_sessions", {}], missing: "SessionNotFound" },
  jobId: { list: ["list_jobs", { limit: 200 }], missing: "JobNotFound" },
  id: { list: ["list_port_forwards", {}], missing: "PortForwardNotFound" },
};

/** Beginnings of ids shorter than this mean too much. */
const SHORTEST = 4;

async function idOf(
  server: Server,
  field: string,
  given: string,
  lists: Map<string, unknown>,
): Promise<string> {
  const { list: [command, asked], name, missing } = THINGS[field]!;
  if (!lists.has(command)) lists.set(command, await server.call(command, asked));
  const all = lists.get(command) as { id: string; [field: string]: unknown }[];
  if (all.some(({ id }) => id === given)) return given;
  const found = name === undefined
    ? all.filter(({ id }) => given.length >= SHORTEST && id.startsWith(given))
    : all.filter((each) => each[name] === given);
  if (found.length === 1) return found[0]!.id;
  if (found.length > 1) {
    const ids = found.slice(0, 8).map(({ id }) => id).join(", ");
    throw new ApiError("InvalidInput", `${given} is the name of several: say one of the ids ${ids}`);
  }
  throw new ApiError(missing, errorText(missing, { [field.replace(/s$/, "")]: given }));
}

/**
 * Puts ids where an input names things, however deep. Whole ids are left as they are: the server knows whose they are.
 *
 * @throws {ApiError} for a name nothing has, or several have
 */
export async function withIds(
  server: Server,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const lists = new Map<string, unknown>();
  const changed = async (value: unknown, field: string): Promise<unknown> => {
    if (Array.isArray(value)) return await Promise.all(value.map((each) => changed(each, field)));
    if (isRow(value)) {
      const parts: [string, unknown][] = [];
      for (const [name, part] of Object.entries(value)) parts.push([name, await changed(part, name)]);
      return Object.fromEntries(parts);
    }
    const isNamed = typeof value === "string" && Object.hasOwn(THINGS, field) && !UUID.test(value);
    return isNamed ? await idOf(server, field, value, lists) : value;
  };
  return await changed(input, "") as Record<string, unknown>;
}
