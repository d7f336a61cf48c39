/** Why a file that somebody named cannot be read. */
import { type Message, message } from "../lib/i18n/message.ts";
import { messageOf } from "../lib/text/message.ts";

/** @param what the option or argument that named it */
export function unreadable(what: string, file: string, error: unknown): Message {
  if (error instanceof Deno.errors.NotFound) {
    return message`${what}: there is no file ${JSON.stringify(file)}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return message`${what}: ${JSON.stringify(file)} may not be read by you`;
  }
  if (error instanceof Deno.errors.IsADirectory) return message`${what}: ${JSON.stringify(file)} is a folder`;
  return message`${what} cannot be read: ${messageOf(error)}`;
}
