/** The commands on the host. */
import type { NodeRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { mayCall } from "../../lib/access/may_call.ts";
import { may, type Rights } from "../../lib/access/rights.ts";
import {
  type CommandName,
  ContractError,
  hostCommands,
  type HostInfo,
  type hostListCommands,
} from "../../lib/contract/mod.ts";
import { health } from "../../lib/i18n/en/health.ts";
import { maintenance as maintenanceTable } from "../../lib/i18n/en/maintenance.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { hasOwnBridge, networksNotReady, storageNotReady } from "../../lib/host/ready.ts";
import { child, childText, parseXml } from "../../lib/formats/xml/tree.ts";
import { shownConnection } from "../../lib/access/shown_connection.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Handlers } from "../dispatch.ts";
import { type HostInstallation, installHostHandler } from "./install/handler.ts";
import { linkHandlers, type LinkManagement } from "./linked/handlers.ts";
import { type HostManagement, manageHostHandlers } from "./manage.ts";
import { versionText } from "./node_info.ts";
import { hostStatus, hostStatuses } from "./statuses.ts";
import { cpuModel } from "../machine/local.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import { loadOf } from "./host_size.ts";
import type { HostRegistry } from "./registry.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { ActivityLog } from "../store/activity.ts";

export type HostListHandlers = Pick<Handlers, "get_activity" | keyof typeof hostListCommands>;
export type HostHandlers = Omit<
  Pick<Handlers, Extract<CommandName, keyof typeof hostCommands>>,
  keyof HostListHandlers
>;

/** Services for the commands on hosts: managing, linking and installing, jobs, activity, faults of the databases. */
export interface HostCommandServices extends HostManagement, LinkManagement, HostInstallation {
  readonly jobs: Pick<Jobs, "list" | "run">;
  readonly activity: Pick<ActivityLog, "latest">;
  readonly knownVms: { since(vmId: string): number };
  readonly store: {
    readonly trouble: string | null;
    readonly unreadSecrets: readonly { readonly what: string }[];
  };
  readonly metrics: { readonly trouble: string | null };
  readonly coverage: { attention(rights: Rights): string[] };
}

/** Model of the processor: the kernel's name where it is this machine's, else libvirt's, else the architecture. */
function cpuModelOf({ capabilities, cpuModel: architecture }: NodeRecord, ours: string | undefined): string {
  const cpu = child(child(parseXml(capabilities), "host"), "cpu");
  return ours ?? childText(cpu, "model") ?? architecture;
}

/** `QEMU/KVM` where KVM works. @param trouble why it does not; undefined while it was not tried: libvirt's word is no proof */
export function hypervisor({ type }: Pick<NodeRecord, "type">, trouble: string | null | undefined): string {
  if (type !== "QEMU") return type === "TEST" ? "test" : type;
  return trouble === null ? "QEMU/KVM" : "QEMU";
}

const { t } = textsOf(health), { t: tMaintenance } = textsOf(maintenanceTable);

/** Secrets that cannot be read, one sentence, for who may do something about them. */
function unreadText({ unreadSecrets: unread }: HostCommandServices["store"], rights: Rights): string[] {
  if (unread.length === 0 || !mayCall(rights, "list_credentials")) return [];
  const what = oneLine(unread.map((each) => each.what).join(", "), 300);
  return [t("health.secrets_unread", { what })];
}

/** States of the host or of KVM Manager itself that need a person. */
function attention(
  trouble: string | null | undefined,
  { store, metrics }: HostCommandServices,
  lacking: readonly string[],
): string[] {
  const found = [
    store.trouble,
    metrics.trouble === null ? null : t("health.metrics_stopped", { reason: metrics.trouble }),
    trouble ? t("health.kvm_unused", { reason: trouble }) : null,
    ...lacking,
  ];
  return found.filter((text) => text !== null);
}

/** Items that the host lacks before VMs can be created on it, as far as the caller may see them. */
async function lackingOn(
  { id: hostId, inventory: { storage, networks, filled }, machine }: LibvirtHost,
  rights: Rights,
) {
  if (!filled) return [];
  const pools = storage.isKnown && mayCall(rights, "get_storage_pools", { hostId })
    ? storage.records()
    : null;
  const known = mayCall(rights, "get_networks", { hostId }) ? networks.records() : null;
  const own = new Set(
    (known ?? []).map(({ xml }) => child(parseXml(xml), "bridge")?.attributes.name),
  );
  // Without a look at its bridges nothing is said of another machine's networks
  const bridges = known === null ? undefined : await machine?.bridges();
  const found = [
    pools && storageNotReady(
      pools.map(({ state, xml, ...pool }) => ({ ...pool, ...describePool(xml), running: state !== 0 })),
    ),
    known && bridges &&
    networksNotReady(known, { hasBridges: hasOwnBridge([...bridges].filter((name) => !own.has(name))) }),
  ];
  return found.flatMap((lack) => lack ? [lack.sentence] : []);
}

/** VMs of these hosts that have other hosts' ids, one sentence each; for who sees all VMs. */
function foreignTexts(hosts: HostRegistry, of: readonly LibvirtHost[], rights: Rights): string[] {
  if (!may(rights, "vms.view", "everything")) return [];
  return of.flatMap((host) =>
    hosts.foreignOn(host).map(({ vmId, name, owners }) =>
      t("health.foreign_vm", { host: host.id, name: oneLine(name, 60), owners: owners.join(", "), vmId })
    )
  );
}

/** That a host takes no VMs, in words. */
const maintenanceTexts = ({ maintenance }: LibvirtHost): string[] =>
  maintenance.isOn
    ? [tMaintenance("maintenance.attention", {
      reason: maintenance.reason === "" ? "" : tMaintenance("maintenance.attention_reason", maintenance),
    })]
    : [];

/** A handler for each command on all hosts. */
export function hostListHandlers(app: HostCommandServices): HostListHandlers {
  const { activity, knownVms } = app, links = linkHandlers(app);
  return {
    list_hosts: (_input, { principal }) => hostStatuses(app, principal),
    get_host: ({ hostId }, { principal }) => hostStatus(app, hostId, principal),
    ...manageHostHandlers(app),
    ...links,
    ...installHostHandler(app, links.join_host),
    get_activity: ({ limit = 50, ...wanted }) => {
      // What was before is of another VM, which had the id.
      const own = wanted.vmId === undefined ? 0 : knownVms.since(wanted.vmId);
      const since = Math.max(own, wanted.since ?? 0);
      return activity.latest(limit, own === 0 ? wanted : { ...wanted, since });
    },
  };
}

/** A handler for each command on the host. */
export function hostHandlers(host: LibvirtHost, app: HostCommandServices): HostHandlers {
  const { link, inventory, sampler, make, capabilities } = host;
  return {
    get_host_info: async (_input, { principal }): Promise<HostInfo> => {
      const record = await make.get();
      // Trying KVM takes seconds where it hangs guests: browsers and pages are told what is known.
      const isAsked = record.type === "QEMU" && principal.door !== "page" && principal.via !== "session";
      const trouble = isAsked ? await capabilities.kvmTrouble() : capabilities.knownKvmTrouble;
      const stats = await loadOf(host);
      const totalMb = stats?.memoryTotalMb ?? await make.memoryMb();
      const { active, total } = inventory.counts();
      return {
        hostname: host.fullName ?? inventory.hostname,
        cpuModel: cpuModelOf(record, record.type === "TEST" ? cpuModel() : host.machine?.cpuModel()),
        cpuCount: record.cores,
        cpuThreads: record.threads,
        memoryTotalMb: totalMb,
        memoryFreeMb: Math.max(0, totalMb - (stats?.memoryUsedMb ?? 0)),
        libvirtVersion: versionText(record.libvirtVersion),
        qemuVersion: versionText(record.hypervisorVersion),
        hypervisor: hypervisor(record, trouble),
        activeVms: active,
        totalVms: total,
        uncovered: app.coverage.attention(principal.rights),
        attention: attention(trouble, app, [
          ...host.id === LOCAL_HOST ? unreadText(app.store, principal.rights) : [],
          ...maintenanceTexts(host),
          ...foreignTexts(app.hosts, host === app.hosts.local ? app.hosts.all() : [host], principal.rights),
          ...record.type === "TEST" ? [] : await lackingOn(host, principal.rights),
        ]),
        ...(host.health !== undefined && { health: host.health }),
      };
    },
    get_host_stats: async () => {
      if (!sampler.host && !link.status.connected) {
        throw new LibvirtError({ kind: "unavailable", message: link.status.error ?? "not connected yet" });
      }
      if (!sampler.host) await sampler.tick();
      if (!sampler.host) {
        throw new ContractError("LibvirtFailed", { error: "the host's load could not be read" });
      }
      return sampler.host;
    },
    get_connection_status: (_input, { principal }) =>
      host.id === LOCAL_HOST ? link.status : shownConnection(link.status, principal.rights),
    list_hangs: () => [...host.hangs.silent],
  };
}
