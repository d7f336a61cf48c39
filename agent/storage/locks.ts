/** Locks on pools, volumes and images: of one host, as two hosts may have pools and volumes of the same names. */
import { ContractError } from "../../lib/contract/mod.ts";

/**
 * How something is held: `change` by one operation alone; `make` likewise, and it is not whole before that operation
 * ends; `read` by any number of operations that only read it.
 */
export type Hold = "change" | "make" | "read";

/** An operation that has locked something. */
interface Holder {
  readonly hold: Hold;
  /** The VM that is given it. */
  readonly vm?: string | undefined;
}

/** How an operation wants to hold something. */
export interface HoldRequest {
  /** `change` when nothing is said. */
  readonly hold?: Hold;
  /** The VM that is given it. */
  readonly vm?: string;
}

/** The pool of images that lie in none: they are held by their path. */
export const NO_POOL = "";

/** The operations that hold something: of a volume by its name, of the pool itself by `null`, of an image by its path. */
type Holders = Map<string | null, Set<Holder>>;

/** Images of the machine we run on by their paths: its libvirts all use the same files. */
const IMAGES_HERE: Holders = new Map();

/** The one lock on pools, volumes and images of a host. */
export class StorageLocks {
  readonly #images: Holders;
  readonly #pools = new Map<string, Holders>();

  /** @param isOurs whether images are files of the machine we run on */
  constructor(isOurs: boolean) {
    this.#images = isOurs ? IMAGES_HERE : new Map();
  }

  #in(pool: string): Holders | undefined {
    return pool === NO_POOL ? this.#images : this.#pools.get(pool);
  }

  /** @throws {ContractError} StorageBusy, or DiskInUse where it is being given to a VM */
  require(pool: string, volume: string | null, wanted: Hold = "change", forVm?: string): void {
    for (const { hold, vm } of this.#in(pool)?.get(volume) ?? []) {
      if (hold === "read" && wanted === "read") continue;
      const place = pool === NO_POOL ? volume! : `${pool}/${volume}`;
      if (vm !== undefined) {
        throw new ContractError("DiskInUse", { vm: vm === forVm ? "this VM" : vm, path: place });
      }
      const what = volume === null ? pool : pool === NO_POOL ? volume : `${volume} (${pool})`;
      throw new ContractError("StorageBusy", { what });
    }
  }

  /**
   * Takes something for an operation until disposed of.
   *
   * @throws {ContractError} StorageBusy, or DiskInUse where it is being given to a VM
   */
  take(pool: string, volume: string | null = null, { hold = "change", vm }: HoldRequest = {}): Disposable {
    this.require(pool, volume, hold, vm);
    const there: Holders = this.#in(pool) ?? new Map();
    if (pool !== NO_POOL) this.#pools.set(pool, there);
    const of = there.get(volume) ?? new Set();
    const holder = { hold, vm };
    there.set(volume, of.add(holder));
    return {
      [Symbol.dispose]: () => {
        of.delete(holder);
        if (of.size === 0 && there.get(volume) === of) there.delete(volume);
        if (there.size === 0 && this.#pools.get(pool) === there) this.#pools.delete(pool);
      },
    };
  }

  /** Whether anybody holds something. */
  isHeld(pool: string, volume: string): boolean {
    return (this.#in(pool)?.get(volume)?.size ?? 0) > 0;
  }

  /** Whether a volume is not whole yet: it is no volume for anybody but the operation that makes it. */
  isUnfinished(pool: string, volume: string): boolean {
    return [...this.#in(pool)?.get(volume) ?? []].some(({ hold }) => hold === "make");
  }

  /** Whether any volume is not whole yet. */
  get anyUnfinished(): boolean {
    return [this.#images, ...this.#pools.values()].some((pool) =>
      [...pool.values()].some((of) => [...of].some(({ hold }) => hold === "make"))
    );
  }

  /** Refuses to take a pool away from the work on its volumes. @throws {ContractError} StorageBusy */
  refuseWorkedOn(pool: string): void {
    const volume = [...this.#in(pool)?.keys() ?? []].find((each) => each !== null);
    if (volume !== undefined) throw new ContractError("StorageBusy", { what: `${volume} (${pool})` });
  }
}

/** Locks on images of the machine we run on, and on what has an id that no two hosts have. */
export const LOCKS_HERE = new StorageLocks(true);
