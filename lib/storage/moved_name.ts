/** Name of a volume in another pool. Pure. */

/** Ends of names that tell a format. */
const ENDS = /\.(qcow2|raw|img)$/i;

/**
 * A volume's name in another pool: its own, with an end that fits its format.
 *
 * @param format undefined where the pool keeps no files
 * @param n 1 for the name itself; a larger one is part of it, where that is taken
 */
export function movedName(name: string, format: "qcow2" | "raw" | undefined, n = 1): string {
  const stem = name.replace(ENDS, ""), end = ENDS.exec(name)?.[0] ?? "";
  const fits = end.toLowerCase() === `.${format}` || (end.toLowerCase() === ".img" && format === "raw");
  const numbered = n === 1 ? stem : `${stem}-${n}`;
  return format === undefined ? numbered : `${numbered}${fits ? end : `.${format}`}`;
}
