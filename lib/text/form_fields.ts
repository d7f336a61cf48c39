/**
 * Readers for the fields of a posted form. A file where a text belongs counts as absent. Pure; the server checks it
 * all.
 */

/** A field's text as it was typed; empty without one. */
export function textIn(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

/**
 * The same without the space around it: for choices, numbers and addresses, of which a blank is no part. Names and texts
 * are taken as they were typed; the contract refuses what they must not be.
 */
export function trimmedIn(form: FormData, name: string): string {
  return textIn(form, name).trim();
}

/** Text of a field; undefined if it is empty. */
export function enteredIn(form: FormData, name: string): string | undefined {
  return textIn(form, name) || undefined;
}

/** {@link trimmedIn}; undefined when nothing is left. */
export function givenIn(form: FormData, name: string): string | undefined {
  return trimmedIn(form, name) || undefined;
}
