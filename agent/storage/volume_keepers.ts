/** Keepers of volumes that no VM has: a template keeps its disks as long as it exists. */
import type { LocalMachine } from "../machine/machine.ts";
import { resolvedByFolder, resolvedPath } from "../machine/resolved_path.ts";

/** Something that is kept. */
export interface KeptPath {
  readonly path: string;
  /** Name of the keeper in errors. */
  readonly keeper: string;
  /** Id of the VM, or of the entry of the bin, that it is a part of. */
  readonly owner?: string;
  /** Whether its content was there before that of the VMs which are built on it. */
  readonly isFirst?: boolean;
  /** Name of the pool that it is found by. */
  readonly pool?: string;
}

/** Everything that a keeper keeps now. */
export type Keeper = () => Iterable<KeptPath>;

/** Whether something belongs to another VM, or entry of the bin, than this one. */
export const isNot = (except: string | undefined) => ({ owner }: Pick<KeptPath, "owner">): boolean =>
  owner === undefined || owner !== except;

export class VolumeKeepers {
  readonly #keepers: Keeper[] = [];

  /**
   * @param machine that the volumes are on
   * @param others keepers of other libvirts with the same files
   */
  constructor(
    private readonly machine: LocalMachine | null,
    private readonly others: () => readonly VolumeKeepers[] = () => [],
  ) {}

  /** Asks this one, too. */
  add(keeper: Keeper): void {
    this.#keepers.push(keeper);
  }

  /** Everything that is kept. */
  kept(): KeptPath[] {
    // Pools of one name are two, and VMs that are built on theirs are not known here
    const others = this.others().flatMap((keepers) =>
      keepers.#own().map(({ pool: _pool, isFirst: _isFirst, ...rest }) => rest)
    );
    return [...this.#own(), ...others];
  }

  #own(): KeptPath[] {
    return this.#keepers.flatMap((keeper) => [...keeper()]);
  }

  /**
   * Keeper that forbids to write to the volume at a path or to delete it, by whatever path the keeper knows
   * it.
   *
   * @param except id of a VM, or of an entry of the bin, whose files do not count
   */
  async of(path: string, except?: string): Promise<string | undefined> {
    const kept = this.kept().filter(isNot(except));
    if (kept.length === 0) return undefined;
    const plain = kept.find((each) => each.path === path);
    if (plain !== undefined) return plain.keeper;
    const placeAt = await resolvedByFolder(this.machine, kept.map((each) => each.path));
    const real = await resolvedPath(this.machine, path);
    return kept.find((each) => placeAt(each.path) === real)?.keeper;
  }
}
