/** How big a host is. */
import type { HostStats } from "../../lib/contract/mod.ts";
import type { NodeInfo } from "./node_info.ts";
import type { Sampler } from "../metrics/sampler.ts";

/** Sources of a host's size. */
export interface SizedHost {
  readonly make: Pick<NodeInfo, "get" | "memoryMb">;
  readonly sampler: Pick<Sampler, "host" | "tick">;
}

/** The host's load as last taken, taken now where it never was; undefined where it cannot be. */
export async function loadOf({ sampler }: Pick<SizedHost, "sampler">): Promise<HostStats | undefined> {
  return sampler.host ?? await sampler.tick().then(() => sampler.host);
}

/** Threads, and MiB of memory. @throws {LibvirtError} while neither was ever read */
export async function hostSize(
  host: SizedHost,
): Promise<{ readonly threads: number; readonly memoryMb: number }> {
  const { threads } = await host.make.get(), load = await loadOf(host);
  return { threads, memoryMb: load?.memoryTotalMb ?? await host.make.memoryMb() };
}
