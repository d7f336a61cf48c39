/** The analysis of VMs and hosts: facts from inventory and metrics, what rules find, kept for a few minutes. */
import { spaceOf } from "../../lib/storage/pool_space.ts";
import type { Principal } from "../access.ts";
import { LibvirtError } from "../../ffi/error.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import {
  type AllInsights,
  type Backup,
  ContractError,
  type HostSeriesName,
  type InsightWindow,
  METRIC_WINDOWS,
  type MetricSummary,
  type VM,
  type VmInsights,
  type VmSeriesName,
} from "../../lib/contract/mod.ts";
import { seesVm } from "../../lib/access/viewer.ts";
import { type AccessWorld, viewerOf } from "../access/authorise.ts";
import { may, vmObject } from "../../lib/access/rights.ts";
import { hostField } from "../../lib/contract/on_host.ts";
import {
  analyseHost,
  analyseVm,
  coverageOf,
  inOrder,
  insightOf,
  isEnough,
  type RuleFinding,
} from "../../lib/insights/analyse.ts";
import { backupFactsOf } from "../../lib/insights/backups.ts";
import {
  type AnalysedHost,
  type BackupFacts,
  type InsightSummary,
  isActiveVm,
  type PoolInsightFacts,
  type SnapshotFacts,
} from "../../lib/insights/facts.ts";
import { hostSize } from "../hosts/host_size.ts";
import type { AskedMetrics, SummariseMetrics } from "../metrics/stored_metrics.ts";
import { volumesIn } from "../storage/volume_list.ts";
import { scan } from "../vm/snapshots/scan.ts";
import { HOUR_MS } from "../../lib/duration.ts";
import type { Clock } from "../clock.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { Provided } from "../provided.ts";

/** Milliseconds for which an analysis is taken as it is. */
export const INSIGHTS_MS = 5 * 60_000;

/** Series that rules read; of the others nothing need be summed up. */
const VM_NAMES: readonly VmSeriesName[] = [
  ...["cpu_usage", "cpu_steal", "memory_used", "memory_guest_total", "memory_guest_free"] as const,
  ...["memory_guest_usable", "memory_swap_in", "disk_read_latency", "disk_write_latency"] as const,
  ...["nic_rx_drops", "nic_tx_drops"] as const,
];
const HOST_NAMES: readonly HostSeriesName[] = ["cpu_usage", "memory_used"];

/** Sources of the analysis, and its clock. */
export interface InsightSources {
  readonly clock: Clock;
  readonly hosts: HostRegistry;
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
  readonly backupList: Pick<Provided<() => Backup[]>, "get">;
  readonly metricSummaries: Pick<Provided<SummariseMetrics>, "get">;
}

/** Findings on a VM or a host. */
interface Analysis {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Changes with whatever of it the rules depend on in addition to its figures. */
  readonly signature: string;
  readonly findings: readonly RuleFinding[];
  readonly coverage: number;
}

/** The fields of a VM that rules read in addition to its figures. */
const signatureOf = (vm: VM, backup: BackupFacts | undefined) =>
  JSON.stringify([
    backup,
    ...[vm.name, isActiveVm(vm), vm.cpuCount, vm.maxCpuCount, vm.memoryMb, vm.maxMemoryMb, vm.pendingChanges],
    ...[vm.persistent, vm.guestAgent, vm.disks.map(({ target, bus }) => [target, bus])],
    vm.networkInterfaces.map(({ mac, model }) => [mac, model]),
  ]);

export class Insights {
  readonly #app: InsightSources;
  readonly #kept = new Map<string, Analysis>();
  readonly #running = new Map<string, Promise<void>>();
  /** Why figures could not be read when that was tried last. */
  #unread: string | undefined;

  constructor(app: InsightSources) {
    this.#app = app;
  }

  #now = () => this.#app.clock.now();

  /** The analysis of one VM, made now. @throws {ContractError} VmNotFound, MetricsUnavailable */
  async ofVm(vmId: string, window: InsightWindow, principal: Principal): Promise<VmInsights> {
    const host = this.#app.hosts.of({ vmId }), vm = host.requireVm(vmId);
    const backup = this.#backupsOf(host)?.(vmId);
    const { findings, coverage, at } = await this.#analyseVm(vm, window, await sizeOf(host), backup);
    return {
      window,
      from: at - METRIC_WINDOWS[window],
      analysedAt: at,
      insights: inOrder(this.#told(host, findings, principal)),
      enough: isEnough(coverage),
      coverage,
    };
  }

  /** The analysis of all that somebody may see. What is older than a few minutes is made again meanwhile. */
  async ofAll(window: InsightWindow, principal: Principal): Promise<AllInsights> {
    await this.#fill(window, Infinity);
    const { rights } = principal, { hosts, places } = this.#app, viewer = viewerOf(principal, places);
    const insights: AllInsights["insights"] = [], tooFew: AllInsights["tooFew"] = [];
    let vms = 0, analysedAt = this.#now();
    for (const host of hosts.all()) {
      for (const vm of host.inventory.vms().filter(({ id }) => seesVm(viewer, id))) {
        const analysis = this.#kept.get(keyOf(window, host, vm));
        if (analysis === undefined) continue; // made a moment ago: the next look has it
        vms++;
        analysedAt = Math.min(analysedAt, analysis.at);
        insights.push(...this.#told(host, analysis.findings, principal));
        if (isActiveVm(vm) && !isEnough(analysis.coverage)) {
          tooFew.push({ vmId: vm.id, vmName: vm.name, coverage: analysis.coverage });
        }
      }
      const ofHost = this.#kept.get(keyOf(window, host))?.findings ?? [];
      insights.push(
        ...this.#told(host, ofHost.filter(({ about }) => seesFinding(rights, host, about)), principal),
      );
    }
    if (this.#now() - analysedAt >= INSIGHTS_MS) this.#refresh(window);
    return {
      window,
      from: analysedAt - METRIC_WINDOWS[window],
      analysedAt,
      insights: inOrder(insights),
      vms,
      tooFew,
      ...(this.#unread !== undefined && { unread: this.#unread }),
    };
  }

  /** Makes everything again; no caller waits for it. */
  #refresh(window: InsightWindow): void {
    this.#fill(window, INSIGHTS_MS).catch((error) =>
      log.warn("the insights could not be refreshed", { error })
    );
  }

  /** Analyses what was not, is not what it was, or is older. One does it for all. @param most milliseconds */
  #fill(window: InsightWindow, most: number): Promise<void> {
    // Who waits for what is missing does not wait for all to be made again
    const name = `${window} ${most}`, running = this.#running.get(name);
    if (running) return running;
    const run = this.#analyseAll(window, most).finally(() => this.#running.delete(name));
    this.#running.set(name, run);
    return run;
  }

  async #analyseAll(window: InsightWindow, most: number): Promise<void> {
    const seen = new Set<string>();
    let unread: string | undefined;
    const keep = async (key: string, signature: string, make: () => Promise<Analysis>) => {
      seen.add(key);
      const kept = this.#kept.get(key);
      if (kept?.signature === signature && this.#now() - kept.at < most) return;
      try {
        this.#kept.set(key, await make());
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        if (error.code !== "VmNotFound") unread = error.message; // gone meanwhile
      }
    };
    let isWhole = true;
    await Promise.all(this.#app.hosts.all().map((host) => host.settled()));
    for (const host of this.#app.hosts.all()) {
      isWhole &&= host.inventory.filled;
      const size = await sizeOf(host), backupOf = this.#backupsOf(host);
      for (const vm of host.inventory.vms()) {
        const backup = backupOf?.(vm.id);
        const make = () => this.#analyseVm(vm, window, size, backup);
        await keep(keyOf(window, host, vm), signatureOf(vm, backup), make);
      }
      // What was not read would be told as a host without findings
      if (host.inventory.filled) await keep(keyOf(window, host), "", () => this.#analyseHost(host, window));
    }
    this.#unread = unread;
    if (!isWhole) return;
    for (const key of this.#kept.keys()) {
      if (key.startsWith(`${window} `) && !seen.has(key)) this.#kept.delete(key);
    }
  }

  /** Backups of each VM; undefined if unknown, and for hosts that are not backed up. */
  #backupsOf(host: LibvirtHost): ((vmId: string) => BackupFacts) | undefined {
    if (host !== this.#app.hosts.local) return undefined;
    try {
      return backupFactsOf(this.#app.backupList.get()());
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      return undefined;
    }
  }

  /** @throws {ContractError} VmNotFound, MetricsUnavailable */
  async #analyseVm(
    vm: VM,
    window: InsightWindow,
    size: HostSize,
    backup: BackupFacts | undefined,
  ): Promise<Analysis> {
    const host = this.#app.hosts.of({ vmId: vm.id });
    const [{ series }, snapshots] = await Promise.all([
      this.#summary(host, host.requireVm(vm.id).id, { window, series: [...VM_NAMES] }),
      snapshotsOf(host, vm),
    ]);
    const hours = METRIC_WINDOWS[window] / HOUR_MS;
    return {
      at: this.#now(),
      signature: signatureOf(vm, backup),
      findings: analyseVm({ vm, host: size, series, hours, backup, snapshots }, this.#now),
      coverage: coverageOf(series),
    };
  }

  /** @throws {ContractError} MetricsUnavailable */
  async #analyseHost(host: LibvirtHost, window: InsightWindow): Promise<Analysis> {
    const { series } = await this.#summary(host, "", { window, series: [...HOST_NAMES] });
    const facts = await hostFacts(host, series, METRIC_WINDOWS[window] / HOUR_MS);
    return { at: this.#now(), signature: "", findings: analyseHost(facts), coverage: coverageOf(series) };
  }

  #summary({ id }: LibvirtHost, subject: string, asked: AskedMetrics): Promise<MetricSummary> {
    return this.#app.metricSummaries.get()(id, subject, asked);
  }

  #told(host: LibvirtHost, findings: readonly RuleFinding[], { rights }: Principal): AllInsights["insights"] {
    const mayApply = (vmId: string) =>
      may(
        rights,
        "vms.operate",
        vmObject(vmId, {
          group: host.inventory.vm(vmId)?.group,
          project: host.inventory.vm(vmId)?.project?.id,
          hostId: host.id,
        }),
      );
    return findings.map((each) => insightOf(each, hostField(host.id), mayApply));
  }
}

/** The snapshots of a VM; undefined where libvirt does not tell now. */
async function snapshotsOf(host: LibvirtHost, vm: VM): Promise<SnapshotFacts[] | undefined> {
  try {
    return (await scan(host, vm)).map(({ name, createdAt, isExternal }) => ({
      name,
      createdAt: createdAt * 1000,
      external: isExternal,
    }));
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    return undefined;
  }
}

const keyOf = (window: InsightWindow, host: LibvirtHost, vm?: VM) => `${window} ${host.id} ${vm?.id ?? ""}`;

/** Pools are told to who sees the storage, the rest of a host to who sees that and all VMs. */
function seesFinding(
  rights: Principal["rights"],
  { id: hostId }: LibvirtHost,
  pool: string | undefined,
): boolean {
  const needs = pool === undefined ? ["host.view", "vms.view"] : ["storage.view"];
  return needs.every((permission) => may(rights, permission, { hostId }));
}

type HostSize = Pick<AnalysedHost, "threads" | "memoryMb">;

/** Threads and memory of a host; zeros where they are not known, which no rule takes for figures. */
async function sizeOf(host: LibvirtHost): Promise<HostSize> {
  try {
    return await hostSize(host);
  } catch (error) {
    if (!(error instanceof LibvirtError || error instanceof ContractError)) throw error;
    return { threads: 0, memoryMb: 0 };
  }
}

async function hostFacts(
  host: LibvirtHost,
  series: readonly InsightSummary[],
  hours: number,
): Promise<AnalysedHost> {
  const running = host.inventory.vms().filter(isActiveVm);
  const pools: PoolInsightFacts[] = [];
  for (const { name, active, capacity, allocation } of poolsOf(host)) {
    if (active) pools.push({ name, capacity, allocation, unused: await unusedIn(host, name) });
  }
  return {
    ...await sizeOf(host),
    hours,
    series,
    pools,
    runningCpus: running.reduce((sum, { cpuCount }) => sum + cpuCount, 0),
    runningMemoryMb: running.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
  };
}

/** libvirt's numbers of pools that are active. */
const ACTIVE: ReadonlySet<number> = new Set([2, 3]);

const poolsOf = ({ inventory }: LibvirtHost) =>
  inventory.storage.records().map((record) => ({
    name: record.name,
    active: ACTIVE.has(record.state),
    // What is not known is no reason to warn
    ...spaceOf(record) ?? { capacity: 0, allocation: 0 },
  }));

/** Disk images that no VM has, nothing keeps, and no other image is built on. Images to install from are none of them. */
async function unusedIn(host: LibvirtHost, pool: string): Promise<PoolInsightFacts["unused"]> {
  try {
    const volumes = await volumesIn(host, pool);
    const bases = new Set(volumes.map(({ backing }) => backing?.path));
    const unused = volumes.filter(({ type, format, usedBy, path }) =>
      type === "file" && (format === "qcow2" || format === "raw") && usedBy.length === 0 &&
      !bases.has(path)
    );
    return {
      names: unused.map(({ name }) => name),
      bytes: unused.reduce((sum, { allocationBytes }) => sum + allocationBytes, 0),
    };
  } catch (error) {
    if (!(error instanceof ContractError || error instanceof LibvirtError)) throw error;
    return undefined;
  }
}
