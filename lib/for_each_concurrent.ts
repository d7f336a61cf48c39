/**
 * Works on each thing, in their order.
 *
 * @param most how many at the same time
 * @throws what the work throws first; the work on other things goes on
 */
export async function forEachConcurrent<T>(
  most: number,
  things: readonly T[],
  work: (thing: T) => Promise<unknown>,
): Promise<void> {
  const queue = things.values();
  await Promise.all(Array.from({ length: most }, async () => {
    for (const thing of queue) await work(thing);
  }));
}
