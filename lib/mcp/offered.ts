/** Decides from the rows of the contract alone which commands are available by MCP. Pure. */
import { type Command, COMMANDS, type CommandTable } from "../contract/mod.ts";

/** The contract's. */
export const CONTRACT: CommandTable = COMMANDS;

/** Why a command is not carried out by MCP, as the end of a sentence; undefined for one that is. */
export function notOffered(
  { content, permission, readOnly, activityFor }: Pick<
    Command,
    "content" | "permission" | "readOnly" | "activityFor"
  >,
): string | undefined {
  if (content !== undefined) return "its content is a file. Use the command line or REST";
  if (permission === "anyone") return "it is a step of signing in";
  if (permission === "socket") return "root does it, at the socket of the host";
  if (!readOnly && activityFor === "administrators") {
    return "it decides who may do what. Use the pages or the command line";
  }
  return undefined;
}

/** The row of a command that there is; undefined for another name. */
export const rowOf = (name: string, commands: CommandTable = CONTRACT): Command | undefined =>
  Object.hasOwn(commands, name) ? commands[name] : undefined;
