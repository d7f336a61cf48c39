/** Moves that are advised, from what hosts and VMs take. */
import { adviseBalance, type BalanceVm } from "../../lib/placement/balance.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { Output, VM } from "../../lib/contract/mod.ts";
import { placement as texts } from "../../lib/i18n/en/placement.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatMemory } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { isLive } from "../../lib/vm/state.ts";
import type { Principal } from "../access.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { SummariseMetrics } from "../metrics/stored_metrics.ts";
import type { Placement } from "./placement.ts";
import { cpuOf, roomHere, roomThere } from "./rooms.ts";

const { t } = textsOf(texts);

/** Sources of the advice: hosts, rules of placement, summaries of metrics, and maintenance. */
export interface AdviceWorld {
  readonly hosts: Pick<HostRegistry, "local">;
  readonly linked: Pick<LinkedHosts, "all" | "served">;
  readonly placement: Placement;
  readonly metricSummaries: { get(): SummariseMetrics };
  /** Whether a host is in maintenance: nothing is advised to go there, nor to leave it. */
  readonly isInMaintenance: (hostId: string) => boolean;
}

const percent = (share: number) => Math.round(share * 100);

/** The moves that are advised of VMs of this host. @throws {ContractError} StoreUnavailable */
export async function placementAdvice(
  { hosts: { local }, linked, placement, metricSummaries, isInMaintenance }: AdviceWorld,
  principal: Principal,
): Promise<Output<"get_placement_advice">> {
  const others = linked.all().filter(({ id, status, about }) =>
    status.connected && about?.role === "administrator" && !isInMaintenance(id)
  );
  if (others.length === 0 || isInMaintenance(LOCAL_HOST) || local.machine?.isSystem !== true) return [];
  const rooms = await Promise.all([
    roomHere(local, principal),
    ...others.map((host) => roomThere(host, principal)),
  ]);
  const vms = new Map(local.inventory.vms().map((vm) => [vm.id, vm]));
  const summary = (vmId: string) =>
    metricSummaries.get()(local.id, vmId, { window: "1h", series: ["cpu_usage"] });
  const cpu = new Map(
    await Promise.all([...vms.values()].map(async (vm) => [vm.id, await cpuOf(summary, vm)] as const)),
  );
  const isThere = new Set(rooms.flatMap((room) => room === undefined ? [] : [room.id]));
  const placed = placement.placed().filter(({ host }) => isThere.has(host)).map((vm): BalanceVm => {
    const own: VM | undefined = vms.get(vm.id) ?? linked.served(vm.host)?.vm(vm.id);
    return {
      ...vm,
      memoryMb: own !== undefined && isLive(own) ? own.memoryMb : 0,
      cpuUsed: cpu.get(vm.id),
      isMovable: vm.host === local.id && own !== undefined && own.persistent && own.state !== "suspended" &&
        own.operation === undefined,
    };
  });
  const advice = adviseBalance({
    hosts: rooms.filter((room) => room !== undefined),
    vms: placed,
    rules: placement.rules(),
    from: new Set([local.id]),
  });
  return advice.map(({ vmId, from, to, rules, before, after }) => {
    const { name, memoryMb } = vms.get(vmId)!, busy = cpu.get(vmId);
    const label = oneLine(linked.served(to)?.label ?? to, 60);
    const cpuPercent = busy === undefined ? null : percent(busy);
    return {
      vmId,
      name,
      from,
      to,
      memoryMb,
      cpuPercent,
      text: rules.length > 0
        ? t("placement.for_rule", { rules: rules.join(", ") })
        : t("placement.for_balance", {
          from: local.label,
          to: label,
          before: percent(before.from),
          beforeTo: percent(before.to),
          after: percent(after.from),
          afterTo: percent(after.to),
          memory: formatMemory(memoryMb),
          cpu: cpuPercent === null ? "" : t("placement.cpu_part", { percent: cpuPercent }),
        }),
    };
  });
}
