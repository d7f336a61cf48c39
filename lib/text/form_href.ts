/** Address that a form is sent to that is one command with fields: `POST /do/{command}`. Pure. */
import type { CommandName } from "../contract/mod.ts";

/** Names in its address that are no fields: where to go on, and where the form is. */
export const FORM_PLACES = ["to", "from"] as const;

/**
 * The address for `action`.
 *
 * @param fields values that stand fast; the form's own fields come in addition, named by their paths in the input
 * @param to the page to go to when it is done; `{name}` in it stands for what the field `name`, else the answer, says, and
 *   `/{task}` for the page of the task that it is
 * @param from the page to show again when it is refused, where that is another one
 */
export function formHref(
  command: CommandName,
  fields: Readonly<Record<string, string | number | boolean>>,
  to: string,
  from = to,
): string {
  const query = new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  query.set("to", to);
  if (from !== to) query.set("from", from);
  return `/do/${command}?${query}`;
}
