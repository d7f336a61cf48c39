/** The order of a short list whose ranks change every second. */

/**
 * Puts rows in the order that they had: those that stay keep their places among each other, and newcomers take the places
 * of those that left.
 *
 * @param before ids as they were shown
 * @param ranked rows, the first in rank first
 */
export function steadyOrder<Row extends { readonly id: string }>(
  before: readonly string[],
  ranked: readonly Row[],
): Row[] {
  const stays = new Map(ranked.map((row) => [row.id, row]));
  const newcomers = ranked.filter(({ id }) => !before.includes(id));
  const places = before.map((id) => stays.get(id) ?? newcomers.shift());
  return [...places, ...newcomers].filter((row) => row !== undefined);
}
