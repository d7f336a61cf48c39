/**
 * Values entered in a form, by the names of its fields, for its page to show again when it is refused. Files are left
 * out.
 */
export function typedFields(form: FormData): Record<string, string> {
  return Object.fromEntries(
    [...form].filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
