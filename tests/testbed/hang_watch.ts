/**
 * Looks once a second at what must go on while something hangs: libvirt's lists, its workers, and the product's answers,
 * threads, memory and descriptors. Gives the worst of each, and what of it is out of bounds.
 */
import type { PrivateLibvirt } from "./private_libvirt.ts";
import type { PrivateServer } from "./private_server.ts";
import { delay } from "./wait.ts";

/** Milliseconds from one look to the next, and after which a look is given up. */
const EVERY = 1000, GIVEN_UP = 10_000;

/** Bounds that must hold, on a machine that other work shares. Times in milliseconds. */
export const BOUNDS = {
  /** `virsh list --all`, in a process of its own. */
  list: 1000,
  /** One look in so many may take longer, up to `rarely`. */
  rareOne: 20,
  rarely: 3000,
  /** Workers of libvirtd that are free, or may still be started. */
  workers: 6,
  /** Answers of the product from its inventory. */
  vms: 3000,
  /** Threads, descriptors and MiB that the product may have more than before the hang… */
  threads: 40,
  descriptors: 100,
  memoryMiB: 200,
  /**
   * … and more in the last quarter of the hang than in the third: growth that does not end. In the second quarter of a short
   * hang the requests that are made during it have not come yet.
   */
  moreThreads: 6,
  moreDescriptors: 20,
  moreMemoryMiB: 60,
} as const;

/** One look at libvirt or at the product's answers. `seconds` since the watch began; `ms` of one given up is infinite. */
interface Look {
  readonly seconds: number;
  readonly ms: number;
}

/** One look at libvirtd's workers. */
interface Workers {
  readonly seconds: number;
  /** Free, or not yet started. */
  readonly left: number;
  /** Calls that wait for one. */
  readonly queued: number;
}

/** One look at the product's process. */
interface Weight {
  readonly seconds: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly memoryMiB: number;
}

/** The worst that was seen. Milliseconds of a look that was given up are infinite. */
export interface WatchFigures {
  readonly looks: number;
  readonly listMs: number;
  /** Seconds after the hang began at which `virsh list` first took longer than 3 s; null: never. */
  readonly listFrozeAfter: number | null;
  readonly workersLeft: number;
  readonly workersLeastAfter: number;
  readonly queued: number;
  readonly vmsMs: number;
  readonly threads: string;
  readonly descriptors: string;
  readonly memoryMiB: string;
}

/** Watches from the moment it is made until it is disposed of. */
export class HangWatch implements AsyncDisposable {
  readonly #began = performance.now();
  readonly #lists: Look[] = [];
  readonly #vms: Look[] = [];
  readonly #workers: Workers[] = [];
  readonly #weights: Weight[] = [];
  readonly #loops: Promise<unknown>;
  #failure: unknown;
  #hung = Infinity;
  #released = Infinity;
  #ended = false;

  /** @param product the server whose answers and process are watched */
  constructor(private readonly host: PrivateLibvirt, private readonly product: PrivateServer) {
    this.#loops = Promise.all([
      this.#again(async (seconds) => void this.#lists.push({ seconds, ms: await this.#list() })),
      this.#again(async (seconds) => void this.#vms.push({ seconds, ms: await this.#answer() })),
      this.#again((seconds) => this.#countWorkers(seconds)),
      this.#again((seconds) => this.#weigh(seconds)),
    ]).catch((error) => this.#failure = error);
  }

  /** From now on something hangs. */
  hung(): void {
    this.#hung = this.#seconds();
  }

  /** From now on nothing does. */
  released(): void {
    this.#released = this.#seconds();
  }

  /** The worst of each, while something hung. */
  figures(): WatchFigures {
    const lists = this.#within(this.#lists), workers = this.#within(this.#workers);
    const least = workers.reduce((one, other) => other.left < one.left ? other : one, workers[0] ?? NO_LOOK);
    const froze = lists.find(({ ms }) => ms > BOUNDS.rarely);
    const weight = (of: (look: Weight) => number) => {
      const [before, , , last] = this.#quarters(of, Math.max);
      return `${Math.round(before)} before, ${Math.round(last)} in the end`;
    };
    return {
      looks: lists.length,
      listMs: worst(lists),
      listFrozeAfter: froze === undefined ? null : Math.round(froze.seconds - this.#hung),
      workersLeft: least.left,
      workersLeastAfter: Math.round(least.seconds - this.#hung),
      queued: Math.max(0, ...workers.map(({ queued }) => queued)),
      vmsMs: worst(this.#within(this.#vms)),
      threads: weight(({ threads }) => threads),
      descriptors: weight(({ descriptors }) => descriptors),
      memoryMiB: weight(({ memoryMiB }) => memoryMiB),
    };
  }

  /** Figures out of {@link BOUNDS}, as texts; empty if all is well. */
  problems(): string[] {
    const found: string[] = [];
    if (this.#failure !== undefined) found.push(`the watch failed: ${this.#failure}`);
    const lists = this.#within(this.#lists), slow = lists.filter(({ ms }) => ms > BOUNDS.list);
    const { listMs, listFrozeAfter, workersLeft, workersLeastAfter, vmsMs } = this.figures();
    if (lists.length === 0) found.push("virsh list was never looked at");
    if (this.#within(this.#workers).length < lists.length / 2) {
      found.push("virt-admin told of libvirtd's workers less than half as often as virsh list was asked");
    }
    if (listMs > BOUNDS.rarely || slow.length > Math.max(1, lists.length / BOUNDS.rareOne)) {
      found.push(
        `virsh list: ${slow.length} of ${lists.length} looks over ${BOUNDS.list} ms, the worst ${
          Math.round(listMs)
        }, ` + `frozen from ${listFrozeAfter ?? "never"} s on`,
      );
    }
    if (workersLeft < BOUNDS.workers) {
      found.push(`libvirtd had ${workersLeft} workers left, ${workersLeastAfter} s after the hang`);
    }
    if (vmsMs > BOUNDS.vms) found.push(`get_vms took ${Math.round(vmsMs)} ms`);
    const grown = (what: string, of: (look: Weight) => number, all: number, late: number) => {
      const [before, , , last] = this.#quarters(of, Math.max);
      if (last - before > all) found.push(`${what}: ${before} before the hang, ${last} at its end`);
      // Files are read by threads that end some seconds later: what grows for ever grows at its least, too
      const [, , third, end] = this.#quarters(of, Math.min);
      if (end - third > late) {
        found.push(`${what}: at least ${third} in the third quarter, ${end} in the last`);
      }
    };
    grown("threads", ({ threads }) => threads, BOUNDS.threads, BOUNDS.moreThreads);
    grown("descriptors", ({ descriptors }) => descriptors, BOUNDS.descriptors, BOUNDS.moreDescriptors);
    grown("MiB", ({ memoryMiB }) => memoryMiB, BOUNDS.memoryMiB, BOUNDS.moreMemoryMiB);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#loops;
  }

  /** Looks that were under way while something hung. */
  #within<L extends { readonly seconds: number; readonly ms?: number }>(looks: readonly L[]): L[] {
    return looks.filter((look) => endOf(look) >= this.#hung && look.seconds <= this.#released);
  }

  /** The most or the least before the hang, and in the second, third and last quarter of it. */
  #quarters(
    of: (look: Weight) => number,
    choose: (...all: readonly number[]) => number,
  ): [number, number, number, number] {
    const end = Math.min(this.#released, this.#seconds());
    const quarter = (end - this.#hung) / 4;
    const chosen = (from: number, to: number) => {
      const looks = this.#weights.filter(({ seconds }) => seconds >= from && seconds < to).map(of);
      return looks.length === 0 ? 0 : choose(...looks);
    };
    const at = (part: number) => this.#hung + part * quarter;
    return [chosen(0, this.#hung), chosen(at(1), at(2)), chosen(at(2), at(3)), chosen(at(3), end)];
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  async #again(look: (seconds: number) => Promise<void>): Promise<void> {
    while (!this.#ended) {
      const began = performance.now();
      await look(this.#seconds());
      await delay(Math.max(0, EVERY - (performance.now() - began)));
    }
  }

  async #list(): Promise<number> {
    const began = performance.now();
    const said = await within(["virsh", "--quiet", "--connect", this.host.uri, "list", "--all"]);
    return said === null ? Infinity : performance.now() - began;
  }

  async #answer(): Promise<number> {
    const began = performance.now();
    try {
      const response = await fetch(`${this.product.server.url}/api/v1/commands/get_vms`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
        signal: AbortSignal.timeout(GIVEN_UP),
      });
      await response.text();
      return performance.now() - began;
    } catch (error) {
      if (error instanceof DOMException && error.name === "TimeoutError") return Infinity;
      throw error;
    }
  }

  async #countWorkers(seconds: number): Promise<void> {
    const said = await within(["virt-admin", "-c", this.host.adminUri, "server-threadpool-info", "libvirtd"]);
    if (said === null) return;
    const of = (field: string) => Number(new RegExp(`^${field}\\s*: (\\d+)$`, "m").exec(said)?.[1]);
    const left = of("freeWorkers") + of("maxWorkers") - of("nWorkers");
    if (!Number.isInteger(left)) throw new Error(`virt-admin said: ${said}`);
    this.#workers.push({ seconds, left, queued: of("jobQueueDepth") });
  }

  async #weigh(seconds: number): Promise<void> {
    const folder = `/proc/${this.product.pid}`;
    const status = await Deno.readTextFile(`${folder}/status`);
    const of = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
    const descriptors = (await Array.fromAsync(Deno.readDir(`${folder}/fd`))).length;
    this.#weights.push({
      seconds,
      descriptors,
      threads: of("Threads"),
      memoryMiB: Math.round(of("VmRSS") / 1024),
    });
  }
}

const NO_LOOK: Workers = { seconds: NaN, left: NaN, queued: 0 };

const worst = (looks: readonly Look[]): number => Math.round(Math.max(0, ...looks.map(({ ms }) => ms)));

/** Seconds at which a look ended, or was given up. */
const endOf = ({ seconds, ms = 0 }: { readonly seconds: number; readonly ms?: number }): number =>
  seconds + Math.min(ms, GIVEN_UP) / 1000;

/**
 * Output of a program; null if it fails, as with a libvirtd that takes no connection, or had to be killed after {@link
 * GIVEN_UP}.
 */
async function within([program, ...args]: readonly [string, ...string[]]): Promise<string | null> {
  const child = new Deno.Command(program, {
    args,
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), GIVEN_UP);
  try {
    const { success, stdout } = await child.output();
    return success ? new TextDecoder().decode(stdout) : null;
  } finally {
    clearTimeout(timer);
  }
}
