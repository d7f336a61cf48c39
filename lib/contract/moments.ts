/** Finds the fields of answers that are moments, from their schemas. */
import { COMMANDS } from "./mod.ts";

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
}

let known: ReadonlySet<string> | undefined;

/** Names of the fields with milliseconds since 1970: a name means the same in every answer (a test holds that). */
export function momentFields(): ReadonlySet<string> {
  if (known !== undefined) return known;
  const found = new Set<string>();
  const walk = ({ type, description = "", anyOf = [], items, properties = {} }: Node, field: string) => {
    const isNumber = type === "integer" || type === "number";
    if (isNumber && description.startsWith("milliseconds since 1970")) found.add(field);
    for (const part of anyOf) walk(part, field);
    if (items) walk(items, field);
    for (const [name, part] of Object.entries(properties)) walk(part, name);
  };
  for (const { output } of Object.values(COMMANDS)) walk(output as Node, "");
  return known = found;
}
