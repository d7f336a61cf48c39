/** Parsers for the forms of the settings. Pure; the server checks all of it again. */
import { momentIn } from "../i18n/zone_choice.ts";
import type { Grant } from "../contract/mod.ts";
import { textIn } from "../text/form_fields.ts";

/** The grant of `GrantFields`; undefined where no role is chosen. */
export function grantIn(form: FormData): Grant | undefined {
  const role = textIn(form, "role");
  if (role === "") return undefined;
  const [, kind = "everything", value = ""] = /^(group|vm|host|project):(.*)$/s.exec(textIn(form, "on")) ??
    [];
  if (kind === "group") return { role, on: { kind, group: value } };
  if (kind === "vm") return { role, on: { kind, vmId: value } };
  if (kind === "project") return { role, on: { kind, project: value } };
  if (kind === "host") return { role, on: { kind, host: value } };
  return { role, on: { kind: "everything" } };
}

/** A date field as the beginning of that day in the page's time zone, in milliseconds; undefined when it is empty or none. */
export function dayIn(value: string | null): number | undefined {
  if (value === null || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return undefined;
  return momentIn(value);
}

/** The field of a form in which somebody shows by their own password that it is still them. */
export const OWN_PASSWORD = "ownPassword";

/** The present password of a form; nothing where it was left empty: it was confirmed before. */
export function presentPasswordIn(form: FormData, field = "password"): { password?: string } {
  const password = textIn(form, field);
  return password === "" ? {} : { password };
}
