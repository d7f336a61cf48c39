/** Labels: tags of the form `key=value`. Pure. */
import { matcher } from "./pattern.ts";

/**
 * Whether tags have a label: `key=value` as it stands or by patterns, or `key` for the tag alone and for any value.
 *
 * @param tags of something; what is no list has none
 */
export function hasLabel(tags: unknown, label: string): boolean {
  const fits = [label, ...(label.includes("=") ? [] : [`${label}=*`])].map(matcher);
  return Array.isArray(tags) &&
    tags.some((tag) => typeof tag === "string" && fits.some((each) => each.test(tag)));
}
