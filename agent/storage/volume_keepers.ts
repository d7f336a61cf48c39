/** What keeps volumes although no VM has them: a template keeps its disks as long as it is there. */

/** What keeps the volume at a path, as it is called in an error; undefined where it does not. */
export type KeeperOf = (path: string) => string | undefined;

export class VolumeKeepers {
  readonly #keepers: KeeperOf[] = [];

  /** Asks this one, too. */
  add(keeperOf: KeeperOf): void {
    this.#keepers.push(keeperOf);
  }

  /** What keeps the volume at a path from being written to or deleted. @param except is not asked */
  of(path: string, except?: KeeperOf): string | undefined {
    for (const keeperOf of this.#keepers) {
      if (keeperOf === except) continue;
      const keeper = keeperOf(path);
      if (keeper !== undefined) return keeper;
    }
    return undefined;
  }
}
