/**
 * How a form names its fields, and which of them count. A name is a path of the command's input with, behind it, the unit of a
 * bare number (`capacityBytes:G`) and the parts of the form that it is in (`path@image`). Pure.
 */

/** A form's field and what was posted for it. */
export type PostedField = readonly [name: string, value: FormDataEntryValue];

/** The choice among the parts of a form: fields of its other parts do not count. */
export const PART = ":part";
/** Begins the name of a choice of several fields that does not count where another field is filled: `:unless.address`. */
const UNLESS = ":unless.";
/** Behind a path: the hidden field with the text that the field began with. */
const WAS = "was";

/** Parts of a field's name. */
export interface FieldName {
  /** Path in the input; empty for a choice of several fields. */
  readonly path: string;
  readonly unit: string;
  /** Parts of the form; empty: it counts with each. */
  readonly parts: readonly string[];
}

/** Reads a field's name. */
export function fieldPath(name: string): FieldName {
  const [field = "", parts = ""] = name.split("@", 2);
  const [path = "", unit = ""] = field.split(":", 2);
  return { path, unit, parts: parts === "" ? [] : parts.split(",") };
}

/** The name of a field. */
export function nameOfField(
  path: string,
  { unit = "", part = "" }: { unit?: string; part?: string } = {},
): string {
  return `${path}${unit && `:${unit}`}${part && `@${part}`}`;
}

/** The name of a choice of several fields that a field takes the place of. */
export const nameUnless = (path: string): string => `${UNLESS}${path}`;

/** The name of the hidden field with the text that a field, or a choice of several, began with. */
export const nameBefore = (path: string): string => `${path}:${WAS}`;

/** The text of a field of which several were posted: of a box and the hidden field for an empty one, the box comes last. */
export const lastText = (texts: readonly string[]): string => texts.findLast((text) => text !== "") ?? "";

/** Name without the mark `:was`, as in `:plug:was` or `network:was`; undefined for a name without it. */
const beforeOf = (name: string) => name.endsWith(`:${WAS}`) ? name.slice(0, -WAS.length - 1) : undefined;

/** The fields of a choice of several: `network=default`. */
const fieldsOf = (query: string): PostedField[] => [...new URLSearchParams(query)];

/**
 * The fields of a form that count, named by path and unit: those of the part that was chosen, those of the choices that have
 * several fields (`:plug`), and none with the text that it began with (`serial:was`).
 */
export function countedFields(all: readonly PostedField[]): PostedField[] {
  const texts = (name: string) =>
    all.flatMap(([each, value]) => each === name && typeof value === "string" ? [value] : []);
  const before = new Map(all.flatMap(([name, value]): [string, string][] => {
    const of = beforeOf(name);
    return of === undefined || typeof value !== "string" ? [] : [[of, value]];
  }));
  const part = lastText(texts(PART));
  const isMeant = (name: string) => {
    const { parts } = fieldPath(name);
    return parts.length === 0 || parts.includes(part);
  };
  const isChoice = (name: string) => name.startsWith(":");
  const own = all.filter(([name]) => !isChoice(name) && beforeOf(name) === undefined && isMeant(name))
    .map(([name, value]): PostedField => [nameOfField(fieldPath(name).path, fieldPath(name)), value]);
  const filled = new Set(all.flatMap(([name, value]) => value === "" ? [] : [name]));
  const isReplaced = (name: string) => name.startsWith(UNLESS) && filled.has(name.slice(UNLESS.length));
  const chosen = all.flatMap(([name, value]) =>
    !isChoice(name) || isReplaced(name) || name === PART || beforeOf(name) !== undefined ||
      typeof value !== "string" ||
      before.get(name) === value
      ? []
      : fieldsOf(value)
  );
  const counted = [...own, ...chosen];
  const after = Map.groupBy(counted, ([name]) => fieldPath(name).path);
  const asBefore = new Set([...after].flatMap(([path, fields]) => {
    const texts = fields.flatMap(([, value]) => typeof value === "string" ? [value] : []);
    return before.get(path) === lastText(texts) ? [path] : [];
  }));
  return counted.filter(([name]) => !asBefore.has(fieldPath(name).path));
}
