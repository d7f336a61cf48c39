/** Finds answers with messages in them, whose texts are in the reader's language. Pure. */
import { type CommandName, COMMANDS } from "./mod.ts";

/** The mark of a schema whose text may be a message until it is told (`SentenceText` in `schema.ts`). */
const MARK = "x-sentence";

function hasMark(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  return Object.hasOwn(schema, MARK) || Object.values(schema).some(hasMark);
}

const known = new Map<CommandName, boolean>();

/** Whether a command's answer may have messages. */
export function tellsSentences(command: CommandName): boolean {
  let tells = known.get(command);
  if (tells === undefined) known.set(command, tells = hasMark(COMMANDS[command].output));
  return tells;
}
