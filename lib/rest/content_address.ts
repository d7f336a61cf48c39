/** Address for PUT and GET of a command's content: `/api/v1/storage/pools/p/volumes/v/content?host=lab`. Pure. */
import type { Command } from "../contract/command.ts";

/** @param input with all fields that its path has */
export function contentAddress(
  { route, contentFields = [] }: Pick<Command, "route" | "contentFields">,
  input: Readonly<Record<string, unknown>>,
): string {
  const path = route.replace(/^\w+ /, "").replace(
    /\{(\w+)\}/g,
    (_all, field: string) => encodeURIComponent(String(input[field])),
  );
  const given = contentFields.filter((field) => input[field] !== undefined);
  const query = given.map((field) => `${field}=${encodeURIComponent(String(input[field]))}`).join("&");
  return `/api/v1${path}${query === "" ? "" : `?${query}`}`;
}
