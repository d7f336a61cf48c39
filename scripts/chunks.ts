/**
 * Distributes modules of the islands among files. Bundlers put modules into one file if the same entries need them,
 * which makes dozens of small files; here files are merged if a page gains more by asking for a file less than others
 * lose by loading code that they do not use.
 */

/** A module of a bundle. */
export interface BundledModule {
  /** Modules it imports statically. */
  readonly imports: readonly string[];
  /** Bytes that it adds to a file, compressed. */
  readonly bytes: number;
}

/** Modules that a browser loads at once. */
export interface Load {
  /** Modules that are asked for; what they import comes with them. */
  readonly roots: readonly string[];
  /** How many pages load just this. */
  readonly times: number;
  /** False for a part that a page loads later: nothing of it moves into files that pages load. */
  readonly isPage: boolean;
}

/** Limits of a page's load. */
export interface PageLimits {
  readonly files: number;
  readonly bytes: number;
  /** Share of the bytes that it does not use: 0 to 1. */
  readonly unused: number;
}

/** One file in the making. */
interface Chunk {
  readonly modules: readonly string[];
  readonly bytes: number;
  readonly imports: Set<Chunk>;
  /** The loads that have it, a bit for each. */
  loads: bigint;
}

/** Bytes that a request for a file is worth. Each is tried with each below: as a merge decides which others are possible, none suits every graph. */
const FILE_BYTES = [500, 700, 1000, 1500, 2500] as const;
/** Parts of the share that a page may load unused: less keeps files apart, more lets some be merged that no others fit with. */
const UNUSED = [0.5, 0.75, 0.85, 1] as const;
/** How many times that it is worth on pages with too many files: the first that makes them few enough. */
const TOO_MANY = [1.5, 2, 2.5, 3, 4, 5, 6, 8, 16, 64, 128] as const;
/** Ratios to begin with: merging files of little gain first leaves less that fits together for pages with too many. */
const FIRST = [1.5, 6, 8, 16, 64] as const;

/** The modules of each file; those that no page loads at once are in none. */
export type ModuleFiles = readonly (readonly string[])[];

/**
 * Puts the modules that pages load into files.
 *
 * @param modules by their ids
 * @returns the ways that were found, the best first
 */
export function arrange(
  modules: ReadonlyMap<string, BundledModule>,
  loads: readonly Load[],
  limits: PageLimits,
): ModuleFiles[] {
  const arranged = UNUSED.flatMap((more) =>
    FILE_BYTES.flatMap((bytes) =>
      FIRST.map((first) => {
        const files = new Arrangement(modules, loads, { ...limits, unused: limits.unused * more });
        for (const tooMany of TOO_MANY.filter((each) => each >= first)) {
          files.merge(bytes, bytes * tooMany);
          if (files.excess === 0) break;
        }
        return files;
      })
    )
  );
  const ways = arranged.map((files) => ({ files, excess: files.excess, bytes: files.bytes }))
    .sort((a, b) => a.excess - b.excess || a.bytes - b.bytes)
    .map(({ files }) => files.chunks.map((chunk) => chunk.modules));
  return [...new Map(ways.map((files) => [JSON.stringify(files), files])).values()];
}

/** The ids of modules and of all they import. */
export function reached(modules: ReadonlyMap<string, BundledModule>, roots: readonly string[]): Set<string> {
  const found = new Set(roots);
  for (const id of found) { // grows while it is gone through
    for (const imported of modules.get(id)?.imports ?? []) found.add(imported);
  }
  return found;
}

/** A chunk and all it imports. */
function withImports(chunk: Chunk): Set<Chunk> {
  const found = new Set([chunk]);
  for (const each of found) {
    for (const imported of each.imports) found.add(imported);
  }
  return found;
}

class Arrangement {
  chunks: Chunk[];
  readonly #loads: readonly Load[];
  readonly #pages: bigint;
  readonly #limits: PageLimits;
  /** Bytes that a file less is worth to each load, all its pages together. */
  #tolls: number[] = [];
  /** Bytes that each load may come to. */
  readonly #most: readonly number[];
  #closures = new Map<Chunk, Set<Chunk>>();

  constructor(
    modules: ReadonlyMap<string, BundledModule>,
    loads: readonly Load[],
    limits: PageLimits,
  ) {
    this.#loads = loads;
    this.#limits = limits;
    this.#pages = loads.reduce((bits, { isPage }, i) => isPage ? bits | 1n << BigInt(i) : bits, 0n);
    this.chunks = this.#smallest(modules);
    this.#most = loads.map((_, i) =>
      Math.min(limits.bytes, this.#bytesOf(this.#loadedBy(i)) / (1 - limits.unused))
    );
  }

  /** Bytes that all pages load together. */
  get bytes(): number {
    return this.chunks.reduce(
      (sum, { bytes, loads }) => sum + bytes * this.#sum(loads & this.#pages, this.#times),
      0,
    );
  }

  /** Files beyond what a page may load, of all pages. */
  get excess(): number {
    return this.#loads.reduce(
      (sum, { isPage }, i) => isPage ? sum + Math.max(0, this.#loadedBy(i).size - this.#limits.files) : sum,
      0,
    );
  }

  /**
   * Merges two files as long as that gains something.
   *
   * @param file what a file less is worth to a page, in bytes
   * @param tooMany the same, to one with too many
   */
  merge(file: number, tooMany: number): void {
    const next = () => this.#bestPair(file, tooMany);
    for (let pair = next(); pair !== undefined; pair = next()) this.#join(...pair);
  }

  /** One chunk for each set of loads that some modules share. Modules that import each other are in the same. */
  #smallest(modules: ReadonlyMap<string, BundledModule>): Chunk[] {
    const bits = new Map<string, bigint>();
    this.#loads.forEach(({ roots }, i) => {
      for (const id of reached(modules, roots)) bits.set(id, (bits.get(id) ?? 0n) | 1n << BigInt(i));
    });
    const bySet = Map.groupBy(
      [...bits].filter(([id, loads]) => modules.has(id) && (loads & this.#pages) !== 0n),
      ([, loads]) => loads,
    );
    const home = new Map<string, Chunk>();
    for (const [loads, members] of bySet) {
      const ids = members.map(([id]) => id);
      const bytes = ids.reduce((sum, id) => sum + modules.get(id)!.bytes, 0);
      const chunk: Chunk = { modules: ids, bytes, imports: new Set(), loads };
      for (const id of ids) home.set(id, chunk);
    }
    for (const [id, chunk] of home) {
      for (const imported of modules.get(id)!.imports) {
        const other = home.get(imported);
        if (other !== undefined && other !== chunk) chunk.imports.add(other);
      }
    }
    return [...new Set(home.values())];
  }

  #bestPair(file: number, tooMany: number): [Chunk, Chunk] | undefined {
    this.#tolls = this.#loads.map(({ times }, i) =>
      times * (this.#loadedBy(i).size > this.#limits.files ? tooMany : file)
    );
    this.#closures = new Map(this.chunks.map((chunk) => [chunk, withImports(chunk)]));
    let best: [Chunk, Chunk] | undefined, most = 0;
    this.chunks.forEach((a, i) => {
      for (const b of this.chunks.slice(i + 1)) {
        const gain = this.#gain(a, b, most);
        if (gain <= most || this.#isCircle(a, b) || !this.#fits(a, b)) continue;
        best = [a, b];
        most = gain;
      }
    });
    return best;
  }

  /**
   * Bytes saved by making one file of two: what requests are worth, less what is loaded for nothing.
   *
   * @param least more than that is looked for: counting ends at once where there is no more
   */
  #gain(a: Chunk, b: Chunk, least: number): number {
    const both = a.loads & b.loads;
    if (both === 0n) return 0;
    let gain = this.#sum(both, (i) => this.#tolls[i]!);
    for (const [chunk, other] of [[a, b], [b, a]] as const) {
      const alone = chunk.loads & ~other.loads;
      if (alone === 0n) continue;
      for (const brought of this.#closures.get(other)!) {
        if (gain <= least) return gain;
        const without = alone & ~brought.loads;
        if (without === 0n) continue;
        gain -= brought.bytes * this.#sum(without, this.#times);
        if (brought !== other) gain -= this.#sum(without, (i) => this.#tolls[i]!);
      }
    }
    return gain;
  }

  /** Whether the two made one would import a file that imports it. */
  #isCircle(a: Chunk, b: Chunk): boolean {
    const leads = (from: Chunk, to: Chunk) =>
      [...from.imports].some((each) => each !== to && this.#closures.get(each)!.has(to));
    return leads(a, b) || leads(b, a);
  }

  /** Whether every page that would load more by that may. */
  #fits(a: Chunk, b: Chunk): boolean {
    const together = this.#closures.get(a)!.union(this.#closures.get(b)!);
    let rest = (a.loads ^ b.loads) & this.#pages;
    for (let i = 0; rest !== 0n; i++, rest >>= 1n) {
      if ((rest & 1n) === 0n) continue;
      if (this.#bytesOf(together.union(this.#loadedBy(i))) > this.#most[i]!) return false;
    }
    return true;
  }

  #join(a: Chunk, b: Chunk): void {
    const joined: Chunk = {
      modules: [...a.modules, ...b.modules],
      bytes: a.bytes + b.bytes,
      imports: a.imports.union(b.imports),
      loads: a.loads | b.loads,
    };
    this.chunks = [...this.chunks.filter((chunk) => chunk !== a && chunk !== b), joined];
    for (const { imports } of this.chunks) {
      const had = [imports.delete(a), imports.delete(b)];
      if (had.includes(true)) imports.add(joined);
    }
    joined.imports.delete(joined);
    for (const chunk of withImports(joined)) chunk.loads |= joined.loads;
  }

  #loadedBy(load: number): Set<Chunk> {
    const bit = 1n << BigInt(load);
    return new Set(this.chunks.filter(({ loads }) => (loads & bit) !== 0n));
  }

  #bytesOf(chunks: ReadonlySet<Chunk>): number {
    return [...chunks].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  readonly #times = (i: number): number => this.#loads[i]!.times;

  #sum(loads: bigint, of: (load: number) => number): number {
    let sum = 0;
    for (let i = 0; loads !== 0n; i++, loads >>= 1n) if ((loads & 1n) !== 0n) sum += of(i);
    return sum;
  }
}
