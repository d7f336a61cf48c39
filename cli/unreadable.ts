/** Why a file that somebody named cannot be read. */
import { messageOf } from "../lib/text/message.ts";

/** @param what the option or argument that named it */
export function unreadable(what: string, file: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return `${what}: there is no file ${JSON.stringify(file)}`;
  if (error instanceof Deno.errors.PermissionDenied) {
    return `${what}: ${JSON.stringify(file)} may not be read by you`;
  }
  if (error instanceof Deno.errors.IsADirectory) return `${what}: ${JSON.stringify(file)} is a folder`;
  return `${what} cannot be read: ${messageOf(error)}`;
}
