/** How a verb is written. */
import type { Verb } from "./find.ts";
import { namedBy, positionalsOf } from "./places.ts";

/** Its places: `<vmId...>`, `[tags...]`. */
const placesOf = (verb: Verb) =>
  positionalsOf(verb).map(({ field, many, optional }) => {
    const name = `${field}${many ? "..." : ""}`;
    return optional ? `[${name}]` : `<${name}>`;
  });

/** The line of `Usage:`, with both ways to write the places where there are two. */
export function usageOf(verb: Verb): string {
  const line = (places: readonly string[]) => `kvm-manager ${[...verb.words, ...places].join(" ")} [OPTIONS]`;
  const { otherPlaces } = verb.extras;
  const own = line(namedBy(verb) === undefined ? placesOf(verb) : ["[NAME...]"]);
  return otherPlaces === undefined ? own : `${line([otherPlaces.usage])}\n       ${own}`;
}
