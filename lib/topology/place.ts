/** Positions of items in a column: as near as can be to the wanted ones, in order, without touching. Pure. */

/** One thing of a column. */
export interface Item {
  readonly height: number;
  /** Offset of its connections below its top. */
  readonly anchor: number;
  /** Wanted position of the connections; undefined: anywhere. */
  readonly wanted: number | undefined;
  /** Room above it, to the one before. */
  readonly gap: number;
}

/**
 * Tops of the items: the least sum of squared distances to what is wanted. Source: isotonic regression by pooling
 * adjacent violators (Barlow, Brunk 1972), over tops less the room of what is above.
 */
export function placed(items: readonly Item[]): number[] {
  // With everything above taken away, "in order without touching" is "not decreasing".
  const offsets: number[] = [];
  let used = 0;
  for (const [index, { height, gap }] of items.entries()) {
    used += index === 0 ? 0 : gap;
    offsets.push(used);
    used += height;
  }
  const blocks: { sum: number; weight: number; count: number }[] = [];
  const levelOf = ({ sum, weight }: { sum: number; weight: number }) =>
    weight === 0 ? undefined : sum / weight;
  for (const [index, { wanted, anchor }] of items.entries()) {
    blocks.push({
      sum: wanted === undefined ? 0 : wanted - anchor - offsets[index]!,
      weight: wanted === undefined ? 0 : 1,
      count: 1,
    });
    while (blocks.length > 1) {
      const one = blocks.at(-2)!, other = blocks.at(-1)!;
      const above = levelOf(one), below = levelOf(other);
      if (below !== undefined && above !== undefined && above <= below) break;
      // One that stands anywhere goes with the one above it.
      if (below !== undefined && above === undefined && blocks.length === 2) break;
      blocks.pop();
      one.sum += other.sum;
      one.weight += other.weight;
      one.count += other.count;
    }
  }
  const tops: number[] = [];
  const firstLevel = blocks.map(levelOf).find((level) => level !== undefined) ?? 0;
  for (const block of blocks) {
    const level = levelOf(block) ?? firstLevel;
    for (let each = 0; each < block.count; each++) tops.push(level + offsets[tops.length]!);
  }
  return tops;
}
