/** What words follow a verb, by Node's parser; wrong ones are wrong usage. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf } from "../lib/message.ts";
import { UsageError } from "./verb/values.ts";

/** @throws {UsageError} for an option nobody knows, or one without its value */
export function parsed<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}
