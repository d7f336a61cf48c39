/** Rules on disks, network cards and the guest agent of VMs. Pure. */
import type { VmSeriesName } from "../contract/metric_series.ts";
import {
  type FoundProblem,
  isActiveVm,
  percent,
  type Rule,
  summariesWithParts,
  type VmInsightFacts,
} from "./facts.ts";

/** Milliseconds that 95 % of the steps stay below. */
const LATENCY = { slow: 50, bad: 200 } as const;
/** Packets of each second that are lost, on average. */
const DROPS = 1;
/** Buses and models that QEMU emulates chip by chip. */
const SLOW_BUSES: ReadonlySet<string> = new Set(["ide", "sata", "fdc"]);
const SLOW_CARDS = /^(e1000e?|rtl8139|ne2k_pci|pcnet)$/;
/** Milliseconds after a start in which a guest agent need not answer. */
const BOOTING = 10 * 60_000;

const LATENCIES: readonly VmSeriesName[] = ["disk_read_latency", "disk_write_latency"];

function slowDisks({ vm, series }: VmInsightFacts): FoundProblem[] {
  return vm.disks.flatMap(({ target }): FoundProblem[] => {
    const worst = LATENCIES.flatMap((name) =>
      summariesWithParts(series, name).filter(({ label }) => label === target)
    )
      .filter(({ p95 }) => p95 !== null && p95 >= LATENCY.slow).sort((a, b) => b.p95! - a.p95!)[0];
    if (worst === undefined) return [];
    return [{
      severity: worst.p95! >= LATENCY.bad ? "critical" : "warning",
      about: target,
      vars: { disk: target, p95: percent(worst.p95!), p50: percent(worst.p50 ?? 0) },
      series: LATENCIES,
    }];
  });
}

function lostPackets({ series }: VmInsightFacts): FoundProblem[] {
  const found = (["nic_rx_drops", "nic_tx_drops"] as const).flatMap((name) =>
    summariesWithParts(series, name).filter(({ avg }) => (avg ?? 0) >= DROPS).map((each) => ({
      ...each,
      name,
    }))
  );
  return [...Map.groupBy(found, ({ label }) => label ?? "")].map(([label, all]): FoundProblem => ({
    severity: "warning",
    about: label,
    vars: { nic: label, avg: percent(all.reduce((sum, { avg }) => sum + avg!, 0)) },
    series: all.map(({ name }) => name),
  }));
}

const slowBuses = ({ vm }: VmInsightFacts): FoundProblem[] =>
  vm.disks.filter(({ device, bus }) => device === "disk" && SLOW_BUSES.has(bus)).map(({ target, bus }) => ({
    severity: "info",
    about: target,
    vars: { disk: target, bus: bus.toUpperCase() },
    series: ["disk_read_bytes", "disk_write_bytes"],
  }));

const slowCards = ({ vm }: VmInsightFacts): FoundProblem[] =>
  vm.networkInterfaces.filter(({ model }) => SLOW_CARDS.test(model ?? "")).map(({ mac, model }) => ({
    severity: "info",
    about: mac,
    vars: { nic: mac, model: model! },
    series: ["nic_rx_bytes", "nic_tx_bytes"],
  }));

const noAgent = ({ vm }: VmInsightFacts): FoundProblem[] =>
  vm.guestAgent === "not configured" ? [{ severity: "info", vars: {} }] : [];

/** @param now milliseconds since 1970 */
export const silentAgent = (now: () => number) => ({ vm }: VmInsightFacts): FoundProblem[] => {
  const runs = vm.startedAt === undefined ? undefined : now() - vm.startedAt;
  const isMissing = vm.guestAgent === "disconnected" || vm.guestAgent === "silent";
  const isSilent = vm.state === "running" && isMissing && (runs ?? Infinity) > BOOTING;
  return isSilent && isActiveVm(vm) ? [{ severity: "info", vars: {} }] : [];
};

/** @param now milliseconds since 1970 */
export const deviceRules = (now: () => number): readonly Rule<VmInsightFacts>[] => [
  { id: "disk_latency", category: "disk", find: slowDisks },
  { id: "packet_drops", category: "network", ofLoad: true, find: lostPackets },
  { id: "disk_emulated", category: "disk", find: slowBuses },
  { id: "nic_emulated", category: "network", find: slowCards },
  { id: "agent_missing", category: "guest", find: noAgent },
  { id: "agent_silent", category: "guest", find: silentAgent(now) },
];
