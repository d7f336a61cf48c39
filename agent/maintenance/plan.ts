/** Target hosts for the VMs of a host: the plan, checked on both hosts until it holds. */
import { forEachConcurrent } from "../../lib/for_each_concurrent.ts";
import {
  ContractError,
  type MaintenanceSummary,
  type Output,
  type Schedule,
  type VM,
} from "../../lib/contract/mod.ts";
import { sentenceOf } from "../../lib/contract/errors.ts";
import { maintenance as texts } from "../../lib/i18n/en/maintenance.ts";
import { render } from "../../lib/i18n/message.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { isCovered } from "../../lib/coverage/coverage.ts";
import { contractError, isConnectionLost, isHang } from "../libvirt/failure.ts";
import {
  type DrainChoice,
  type DrainObstacle,
  type DrainStep,
  type DrainVm,
  type PlacementFit,
  planDrain,
} from "../../lib/placement/drain.ts";
import type { HostRoom } from "../../lib/placement/room.ts";
import { oneLine } from "../../lib/text/text.ts";
import { isLive } from "../../lib/vm/state.ts";
import type { Principal } from "../access.ts";
import type { FigureTransfer } from "../metrics/transfer.ts";
import type { Coverage } from "../coverage/coverage.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { SummariseMetrics } from "../metrics/stored_metrics.ts";
import type { Placement } from "../placement/placement.ts";
import { cpuOf, roomThere } from "../placement/rooms.ts";
import { migrationFit } from "../vm/migration/outgoing_plan.ts";
import type { StoredChoices } from "./records.ts";

const { t } = textsOf(texts);

/** Sources of the plan: linked hosts, their maintenance and metrics, rules of placement, schedules, and rights. */
export interface PlanWorld {
  readonly coverage: Pick<Coverage, "of">;
  readonly figureTransfer: { get(): FigureTransfer };
  readonly linked: Pick<LinkedHosts, "all" | "served">;
  readonly maintenanceOf: { get(): (hostId: string) => MaintenanceSummary | undefined };
  readonly metricSummaries: { get(): SummariseMetrics };
  readonly placement: { get(): Placement };
  readonly scheduleList: { get(): () => readonly Schedule[] };
}

/** Checks of moves at once: the other host takes eight conversations in all. */
const CHECKS_AT_ONCE = 3;

/** Linked hosts that VMs may go to, and those that take none, with why. */
function targets({ linked, maintenanceOf }: PlanWorld): {
  readonly hosts: LinkedHost[];
  readonly away: Output<"plan_maintenance">["away"];
} {
  const hosts: LinkedHost[] = [], away: Output<"plan_maintenance">["away"] = [];
  for (const host of linked.all()) {
    const { id, label, status, about } = host;
    const reason = !status.connected
      ? oneLine(status.error ?? t("maintenance.not_reached", { host: label }), 200)
      : about?.role !== "administrator"
      ? t("maintenance.away_role")
      : maintenanceOf.get()(id) !== undefined
      ? t("maintenance.away_maintenance")
      : host.stats === undefined
      ? t("maintenance.away_figures")
      : undefined;
    if (reason === undefined) hosts.push(host);
    else away.push({ id, label, reason });
  }
  return { hosts, away };
}

/** Why a VM cannot move at all. */
function hindranceOf(vm: VM, isLocalSystem: boolean): string | undefined {
  if (!isLocalSystem) return t("maintenance.not_local");
  if (!vm.persistent) return t("maintenance.transient");
  return vm.state === "suspended" ? t("maintenance.suspended") : undefined;
}

/** A plan with what it was made of. */
export interface DrainPlan {
  readonly steps: readonly DrainStep[];
  readonly shown: Output<"plan_maintenance">;
}

/**
 * Makes a plan. What a check of a move finds excludes that host for that VM, and the plan is made again, until all of it was
 * checked.
 *
 * @throws {ContractError} VmNotFound, HostNotFound for choices that name none, StoreUnavailable
 */
export async function makePlan(
  world: PlanWorld,
  host: LibvirtHost,
  { vms: chosen = [], off = "leave", breakRules = false }: StoredChoices,
  principal: Principal,
): Promise<DrainPlan> {
  const choices = requireChoices(world, host, chosen), { hosts: linked, away } = targets(world);
  const vms = host.requireFilled().inventory.vms(), isLocalSystem = host.machine?.isSystem === true;
  const summary = (vmId: string) =>
    world.metricSummaries.get()(host.id, vmId, { window: "1h", series: ["cpu_usage"] });
  const needs = await Promise.all(vms.map(async (vm): Promise<DrainVm> => {
    const { id, name, tags, group, memoryMb } = vm, hindrance = hindranceOf(vm, isLocalSystem);
    return {
      id,
      name,
      tags,
      isActive: isLive(vm),
      memoryMb: isLive(vm) ? memoryMb : 0,
      ...(group !== undefined && { group }),
      ...(hindrance !== undefined && { hindrance }),
      cpuUsed: await cpuOf(summary, vm),
    };
  }));
  const rooms = (await Promise.all(linked.map((each) => roomThere(each, principal))))
    .filter((room) => room !== undefined);
  const placement = world.placement.get(), fits = new Map<string, PlacementFit>();
  const keyOf = (vmId: string, hostId: string) => `${vmId} ${hostId}`;
  const plan = () =>
    planDrain({
      from: host.id,
      vms: needs,
      hosts: rooms,
      choices,
      off,
      breakRules,
      rules: placement.rules(),
      others: placement.placed().filter((vm) => vm.host !== host.id),
      fit: (vmId, hostId) => fits.get(keyOf(vmId, hostId)),
    });
  for (;;) {
    const steps = plan();
    const unchecked = steps.flatMap(({ vmId, toHost }) =>
      toHost === undefined || fits.has(keyOf(vmId, toHost)) ? [] : [{ vmId, toHost }]
    );
    if (unchecked.length === 0) {
      return { steps, shown: shownPlan({ world, vms, rooms, needs, steps, away }) };
    }
    await forEachConcurrent(CHECKS_AT_ONCE, unchecked, async ({ vmId, toHost }) => {
      fits.set(keyOf(vmId, toHost), await fitOf(world, host, { vmId, toHost }, principal));
    });
  }
}

/** Checks a user's choices, VM by VM. @throws {ContractError} VmNotFound, HostNotFound */
export function requireChoices(
  { linked }: Pick<PlanWorld, "linked">,
  host: LibvirtHost,
  chosen: NonNullable<StoredChoices["vms"]>,
): Map<string, DrainChoice> {
  const choices = new Map<string, DrainChoice>();
  for (const { vmId, action, toHost } of chosen) {
    host.requireVm(vmId);
    if (toHost !== undefined && linked.served(toHost) === undefined) {
      throw new ContractError("HostNotFound", { host: toHost });
    }
    choices.set(vmId, { action, toHost });
  }
  return choices;
}

/** Findings of a move's check. */
async function fitOf(
  { linked, coverage, figureTransfer }: PlanWorld,
  host: LibvirtHost,
  move: { readonly vmId: string; readonly toHost: string },
  principal: Principal,
): Promise<PlacementFit> {
  const bytes = new Map<string, number>();
  try {
    const { findings, disks } = await migrationFit(
      host,
      { linked, coverage, figures: () => figureTransfer.get() },
      move,
      principal,
    );
    for (const { shared, pool, sizeBytes = 0 } of disks) {
      if (!shared && pool !== undefined) bytes.set(pool, (bytes.get(pool) ?? 0) + sizeBytes);
    }
    const problem = findings.find(({ level }) => level === "problem")?.text;
    return { bytes, ...(problem !== undefined && { problem: render(problem) }) };
  } catch (error) {
    if (isConnectionLost(error) && !isHang(error)) throw error;
    // A QEMU that does not answer keeps its own VM here, and no other
    const known = contractError(error, "MigrationFailed", "get_migration_plan");
    if (!(known instanceof ContractError)) throw error;
    return { bytes, problem: render(sentenceOf(known)) };
  }
}

function obstacleText(obstacle: DrainObstacle, labelOf: (id: string) => string): string {
  const host = labelOf(obstacle.host);
  switch (obstacle.kind) {
    case "memory":
      return t("maintenance.obstacle_memory", { host, free: Math.max(0, Math.round(obstacle.freeMb)) });
    case "pool":
      return t("maintenance.obstacle_pool", { host, pool: oneLine(obstacle.pool, 60) });
    case "rule":
      return t("maintenance.obstacle_rule", { host, rules: obstacle.rules.join(", ") });
    case "problem":
      return t("maintenance.obstacle_problem", { host, text: obstacle.text });
  }
}

/** A plan as it is told. */
function shownPlan({ world, vms, rooms, needs, steps, away }: {
  readonly world: PlanWorld;
  readonly vms: readonly VM[];
  readonly rooms: readonly HostRoom[];
  readonly needs: readonly DrainVm[];
  readonly steps: readonly DrainStep[];
  readonly away: Output<"plan_maintenance">["away"];
}): Output<"plan_maintenance"> {
  const labelOf = (id: string) => oneLine(world.linked.served(id)?.label ?? id, 60);
  const stepOf = new Map(steps.map((step) => [step.vmId, step]));
  const coming = (id: string) => steps.filter(({ toHost }) => toHost === id);
  const needOf = new Map(needs.map((need) => [need.id, need]));
  const schedules = world.scheduleList.get()().filter(({ enabled, action, targets }) =>
    enabled && action === "start" && vms.some((vm) => isCovered(targets, vm))
  );
  return {
    vms: vms.map((vm) => {
      const { id: vmId, name, state, memoryMb, autostart } = vm, step = stepOf.get(vmId)!;
      const { action, toHost, broken, obstacles, hindrance } = step, wantsMove = obstacles.length > 0;
      const none = wantsMove || rooms.length > 0 || !isLive(vm) || action !== "leave"
        ? []
        : [t("maintenance.no_host")];
      return {
        vmId,
        name,
        state,
        memoryMb,
        autostart,
        action,
        ...(toHost !== undefined && { toHost }),
        obstacles: hindrance === undefined
          ? [...obstacles.map((each) => obstacleText(each, labelOf)), ...none]
          : isLive(vm)
          ? [hindrance]
          : [],
        warnings: [
          ...broken.length > 0 ? [t("maintenance.warn_rule", { rules: broken.join(", ") })] : [],
          ...autostart && action === "leave" ? [t("maintenance.warn_autostart")] : [],
          ...autostart && action === "shutdown" ? [t("maintenance.warn_autostart_off")] : [],
        ],
      };
    }),
    hosts: rooms.map(({ id, label, memoryTotalMb, memoryFreeMb, cpuUsed, cpuThreads }) => ({
      id,
      label,
      memoryTotalMb,
      memoryFreeMb,
      memoryLeftMb: memoryFreeMb -
        coming(id).reduce((sum, { vmId }) => sum + (needOf.get(vmId)?.memoryMb ?? 0), 0),
      cpuUsagePercent: cpuUsed === undefined || !cpuThreads ? null : cpuUsed / cpuThreads * 100,
      vms: coming(id).length,
    })),
    away,
    warnings: schedules.length === 0 ? [] : [
      t("maintenance.warn_schedules", { names: schedules.map(({ name }) => oneLine(name, 40)).join(", ") }),
    ],
  };
}
