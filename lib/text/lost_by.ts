/** What a command loses for good, so that somebody is asked first. */
import type { Command } from "../contract/mod.ts";

/**
 * What is lost by it; undefined where nothing is. Some lose something by one of their fields alone (`with --force …`).
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
