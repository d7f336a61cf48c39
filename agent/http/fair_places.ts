/** Places that everybody shares: when all are taken, whoever has most gives one up for somebody who has fewer. Pure. */

/** Holder of a place. */
export interface Place {
  /** Cost of losing it; the lowest go first. At 0 nothing is under way: it can be lost without harm. */
  readonly standing: number;
}

export class FairPlaces<P extends Place> {
  /** Owner of each place; the oldest first. */
  readonly #owners = new Map<P, string>();
  readonly #counts = new Map<string, number>();

  /** @param all how many there are */
  constructor(private readonly all: number) {}

  /** How many are taken. */
  get size(): number {
    return this.#owners.size;
  }

  /** How many somebody has. */
  of(who: string): number {
    return this.#counts.get(who) ?? 0;
  }

  /**
   * Gives a user one more place.
   *
   * @param most limit of the user's places
   * @returns the place that has to end, and is removed: the new one itself if there is no room for it
   */
  enter(place: P, who: string, most = Infinity): P | undefined {
    if (this.of(who) >= most) return place;
    const loser = this.size < this.all ? undefined : this.#loser(who);
    if (loser !== undefined) this.leave(loser);
    else if (this.size >= this.all) return place;
    this.#set(place, who);
    return loser;
  }

  /**
   * Says whose a place really is.
   *
   * @returns false when they have enough already: the place is given up
   */
  move(place: P, who: string, most = Infinity): boolean {
    if (!this.#owners.has(place)) return false;
    const isTooMany = this.#owners.get(place) !== who && this.of(who) >= most;
    this.#release(place);
    if (isTooMany) this.#owners.delete(place);
    else this.#set(place, who);
    return !isTooMany;
  }

  /** Gives a place back; nothing for one that is none any more. */
  leave(place: P): void {
    this.#release(place);
    this.#owners.delete(place);
  }

  /**
   * The oldest place of the lowest standing, of whoever has most. Where nothing is under way, it may be one of the
   * newcomer's own; else only of who has more than the newcomer even afterwards: they would cut each other in turn.
   */
  #loser(newcomer: string): P | undefined {
    let found: { place: P; standing: number; count: number } | undefined;
    for (const [place, owner] of this.#owners) {
      const { standing } = place;
      const count = this.of(owner);
      if (count < this.of(newcomer) + (standing === 0 ? 0 : 2)) continue;
      const isBetter = found === undefined || standing < found.standing ||
        standing === found.standing && count > found.count;
      if (isBetter) found = { place, standing, count };
    }
    return found?.place;
  }

  /** An owner's change keeps the place's age: Map keeps the order of insertion. */
  #set(place: P, who: string): void {
    this.#owners.set(place, who);
    this.#counts.set(who, this.of(who) + 1);
  }

  #release(place: P): void {
    const who = this.#owners.get(place);
    if (who === undefined) return;
    const left = this.of(who) - 1;
    if (left === 0) this.#counts.delete(who);
    else this.#counts.set(who, left);
  }
}
