/** The commands on the maintenance of a host. */
import type { maintenanceCommands } from "../../lib/contract/mod.ts";
import { may } from "../../lib/access/rights.ts";
import { seesHost, seesVm } from "../../lib/access/viewer.ts";
import { type AccessWorld, viewerOf } from "../access/authorise.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { MaintenanceService } from "./maintenance.ts";
import { makePlan, type PlanWorld } from "./plan.ts";

/** Services for the commands on maintenance: the service, the sources of its plan, and look-up of VMs. */
export interface MaintenanceWorld {
  readonly service: MaintenanceService;
  readonly plan: PlanWorld;
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
}

/** A handler for each of them. */
export function maintenanceHandlers(
  host: LibvirtHost,
  { service, plan, places }: MaintenanceWorld,
): Pick<Handlers, keyof typeof maintenanceCommands> {
  const shown = (principal: Principal) => {
    const viewer = viewerOf(principal, places);
    return service.shown(host, {
      seesAll: may(principal.rights, "vms.view", { hostId: host.id }),
      seesVm: (vmId) => seesVm(viewer, vmId),
      seesHost: (hostId) => seesHost(viewer, hostId),
    });
  };
  return {
    get_maintenance: (_input, { principal }) => shown(principal),
    plan_maintenance: async (input, { principal }) => (await makePlan(plan, host, input, principal)).shown,
    start_maintenance: (input, { principal }) => {
      service.start(host, input, principal);
      return shown(principal);
    },
    stop_drain: (_input, { principal }) => {
      service.stop(host, principal);
      return shown(principal);
    },
    end_maintenance: (input, { principal }) => {
      service.end(host, input, principal);
      return shown(principal);
    },
    update_move_limits: ({ movesAtOnce }, { principal }) => {
      service.setLimit(host.id, movesAtOnce);
      return shown(principal);
    },
  };
}
