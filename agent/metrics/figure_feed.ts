/** Tells other parts of the agent of figures as they are taken, whether or not they can be stored. */
import type { FigureSource } from "../../lib/metrics/metric_sampler.ts";

/**
 * Figures of a VM, or of the host itself (subject ""), one for each source; NaN where nothing is known. The next round
 * overwrites them.
 */
export interface TakenFigures {
  readonly subject: string;
  readonly sources: readonly FigureSource[];
  readonly figures: Float32Array;
}

/** Told of one round of a host. It must not throw, and not take long. */
export type FollowFigures = (host: string, taken: readonly TakenFigures[]) => void;

export class FigureFeed {
  readonly #followers = new Set<FollowFigures>();

  /** Publishes all rounds until disposed. */
  follow(follower: FollowFigures): Disposable {
    this.#followers.add(follower);
    return { [Symbol.dispose]: () => void this.#followers.delete(follower) };
  }

  /** Publishes a round. */
  tell(host: string, taken: readonly TakenFigures[]): void {
    for (const follow of this.#followers) follow(host, taken);
  }
}
