/** Work on many things, a few at a time. Pure but for the work. */

/**
 * Works on each thing, at most so many at the same time, in their order.
 *
 * @throws what the work throws first; what others work on then goes on
 */
export async function inLanes<T>(
  lanes: number,
  things: readonly T[],
  work: (thing: T) => Promise<unknown>,
): Promise<void> {
  const queue = things.values();
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (const thing of queue) await work(thing);
  }));
}
