/** Data that a command deletes for good, for the question before. Pure. */
import type { Command } from "../contract/mod.ts";

/**
 * Loss by a command; undefined for none. Some lose data by one of their fields alone (`with --force …`).
 *
 * @param isSaid whether a field is in the input
 */
export function lostBy(
  { destroys }: Pick<Command, "destroys">,
  isSaid: (field: string) => boolean,
): string | undefined {
  const option = destroys && /^with --([a-z-]+) (.*)$/.exec(destroys);
  if (!option) return destroys;
  const field = option[1]!.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
  return isSaid(field) ? option[2] : undefined;
}
