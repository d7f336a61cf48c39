/** Several things at once, of which what one cannot have is left until the others have ended. */
import { forEachConcurrent } from "../../lib/for_each_concurrent.ts";

/**
 * Works on several things at once, in their order.
 *
 * @param most how many at once
 * @param work gets among how many what all may use is shared: no more than that are worked on from then on; says whether
 *   it is over
 * @returns those that are not, once nothing is worked on any more
 * @throws what the first one throws
 */
export async function mapConcurrent(
  places: readonly number[],
  most: number,
  work: (place: number, share: () => number, isAlone: boolean) => Promise<boolean>,
): Promise<number[]> {
  let left = places.length;
  const later: number[] = [];
  let failure: { readonly error: unknown } | undefined;
  const share = () => Math.max(1, Math.min(most, left));
  const isAlone = share() === 1;
  await forEachConcurrent(share(), places, async (place) => {
    if (failure !== undefined) return;
    try {
      if (!await work(place, share, isAlone)) later.push(place);
    } catch (error) {
      failure ??= { error };
    }
    left--;
  });
  if (failure !== undefined) throw failure.error;
  return later.sort((a, b) => a - b);
}
