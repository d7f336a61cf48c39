/** Free resources of hosts for VMs. Pure. */

/** A host that VMs may come to. */
export interface HostRoom {
  readonly id: string;
  readonly label: string;
  /** MiB of the host. */
  readonly memoryTotalMb: number;
  /** MiB that are neither used nor assigned to VMs that run. */
  readonly memoryFreeMb: number;
  /** Threads of its processors that are busy, over the last hour or as read last; undefined where that is not known. */
  readonly cpuUsed?: number | undefined;
  readonly cpuThreads?: number | undefined;
  /** Bytes that its storage pools have left, by name. */
  readonly pools: Readonly<Record<string, number>>;
}

/** A VM as it would be on a host. */
export interface RoomNeed {
  /** MiB that it takes there: none while it is off. */
  readonly memoryMb: number;
  /** Threads that it keeps busy. */
  readonly cpuUsed?: number | undefined;
}

/** Resources of hosts, less those of VMs placed on them so far. */
export class Rooms {
  readonly #hosts = new Map<
    string,
    { room: HostRoom; memory: number; cpu: number; pools: Map<string, number> }
  >();

  constructor(rooms: readonly HostRoom[]) {
    for (const room of rooms) {
      const { id, memoryFreeMb, cpuUsed = 0, pools } = room;
      this.#hosts.set(id, {
        room,
        memory: memoryFreeMb,
        cpu: cpuUsed,
        pools: new Map(Object.entries(pools)),
      });
    }
  }

  /** MiB left. */
  memoryOf(host: string): number {
    return this.#hosts.get(host)?.memory ?? 0;
  }

  /** The fuller of memory and processor, 0 to 1 and above. @param more what would come */
  loadOf(host: string, more: RoomNeed = { memoryMb: 0 }): number {
    const found = this.#hosts.get(host);
    if (found === undefined) return Infinity;
    const { room: { memoryTotalMb, cpuThreads }, memory, cpu } = found;
    const ofMemory = memoryTotalMb === 0 ? 1 : 1 - (memory - more.memoryMb) / memoryTotalMb;
    const ofCpu = cpuThreads ? (cpu + (more.cpuUsed ?? 0)) / cpuThreads : 0;
    return Math.max(ofMemory, ofCpu);
  }

  hasMemory(host: string, { memoryMb }: RoomNeed): boolean {
    return memoryMb <= this.memoryOf(host);
  }

  /** A pool that has too little left for some bytes; undefined where all have enough, or are not known. */
  fullPool(host: string, bytes: ReadonlyMap<string, number>): string | undefined {
    const pools = this.#hosts.get(host)?.pools;
    return [...bytes].find(([pool, size]) => size > (pools?.get(pool) ?? Infinity))?.[0];
  }

  /** A VM comes. */
  take(host: string, need: RoomNeed, bytes: ReadonlyMap<string, number> = new Map()): void {
    const found = this.#hosts.get(host);
    if (found === undefined) return;
    found.memory -= need.memoryMb;
    found.cpu += need.cpuUsed ?? 0;
    for (const [pool, size] of bytes) {
      const left = found.pools.get(pool);
      if (left !== undefined) found.pools.set(pool, left - size);
    }
  }

  /** A VM leaves. */
  free(host: string, need: RoomNeed): void {
    const found = this.#hosts.get(host);
    if (found === undefined) return;
    found.memory += need.memoryMb;
    found.cpu -= need.cpuUsed ?? 0;
  }
}
