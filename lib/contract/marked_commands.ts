/** The commands that graphs mark on their time line, from their rows. */
import { type CommandMark, type CommandName, COMMANDS } from "./mod.ts";
import type { Command } from "./command.ts";

const marked = (kind: CommandMark) =>
  Object.entries<Command>(COMMANDS).filter(([, { mark }]) => mark === kind)
    .map(([name]) => name as CommandName);

/** Kind of mark → the names of the commands that have it. */
export const MARKED_COMMANDS: Readonly<Record<CommandMark, readonly CommandName[]>> = {
  power: marked("power"),
  snapshot: marked("snapshot"),
  change: marked("change"),
};
