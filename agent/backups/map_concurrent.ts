/** Several things at once, of which what one cannot have is left until the others have ended. */
import { forEachConcurrent } from "../../lib/for_each_concurrent.ts";

/**
 * Works on several places at the same time, begun in their order.
 *
 * @param most limit of places at the same time
 * @param work gets the number of places that share the resources: no more than that are worked on from then
 *   on; returns whether its place is done
 * @returns the places that are not done, once no work is under way
 * @throws the first error of `work`
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
