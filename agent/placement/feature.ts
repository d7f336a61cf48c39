/** On which hosts VMs belong. */
import type { placementCommands } from "../../lib/contract/mod.ts";
import { withoutVm } from "../../lib/coverage/coverage.ts";
import { isNoTarget } from "../../lib/access/redact.ts";
import { feature } from "../feature.ts";
import { placementHandlers } from "./handlers.ts";
import { Placement, PLACEMENT_MIGRATIONS } from "./placement.ts";

export const placementFeature = feature<keyof typeof placementCommands>({
  name: "placement",
  migrations: PLACEMENT_MIGRATIONS,
  open: (app) => {
    const { store, hosts, linked, hostRecords, metricSummaries, knownVms } = app;
    const placement = new Placement(store, { hosts, linked });
    app.rulesAgainst.give(placement.against);
    app.placement.give(placement);
    const { rows } = placement;
    return {
      handlers: placementHandlers({
        hosts,
        linked,
        placement,
        metricSummaries,
        isInMaintenance: (hostId) => app.maintenanceOf.get()(hostId) !== undefined,
        isHost: (hostId) => hostRecords.get(hostId) !== undefined || hosts.served(hostId) !== undefined,
        isVm: (vmId) => app.vm(vmId) !== undefined || knownVms.get(vmId) !== undefined,
      }),
      // A rule that named this host alone would hold for no host that there is
      keptOf: (hostId) =>
        rows.all().filter(({ hosts: named }) => named.includes(hostId)).map(({ name }) =>
          `the placement rule ${name}`
        ),
      forgetHost: (hostId) => {
        for (const rule of rows.all().filter(({ hosts: named }) => named.includes(hostId))) {
          const named = rule.hosts.filter((id) => id !== hostId);
          if (named.length === 0) rows.remove(rule.id);
          else rows.put({ ...rule, hosts: named });
        }
      },
      host: () => ({
        replaced: (vmId) =>
          rows.all().filter(({ targets }) => targets.vmIds.includes(vmId)).map((rule) => {
            const targets = withoutVm(rule.targets, vmId);
            if (isNoTarget({ ...targets, tags: [...targets.tags] })) rows.remove(rule.id);
            else rows.put({ ...rule, targets });
            return `the placement rule ${rule.name}`;
          }),
      }),
    };
  },
});
