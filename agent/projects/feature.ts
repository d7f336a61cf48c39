/** Named sets of VMs with members, quotas, defaults and end dates. */
import type { projectCommands } from "../../lib/contract/mod.ts";
import { settlingPrincipal } from "../access.ts";
import { feature } from "../feature.ts";
import { lookAtEndDates } from "./end_dates.ts";
import { projectHandlers } from "./handlers.ts";
import { PROJECT_MIGRATIONS } from "./records.ts";

/** Milliseconds between looks at end dates, and at what VMs have. */
const LOOK_MS = 10_000;

export const projectFeature = feature<keyof typeof projectCommands>({
  name: "projects",
  migrations: PROJECT_MIGRATIONS,
  open: (app) => {
    const { projects, hosts, knownVms } = app;
    const look = async () => {
      if (app.store.open() === undefined) return;
      projects.note();
      const isSettled = hosts.areSettled && knownVms.isRead &&
        hosts.all().every(({ operations }) => operations.unsettled === 0);
      if (isSettled) projects.sweep((vmId) => knownVms.get(vmId) !== undefined);
      // While the clock may be wrong, no end has come
      if (app.drift.held !== undefined) return;
      await lookAtEndDates(projects, {
        clock: app.clock,
        vm: (vmId) => app.vm(vmId),
        api: () => app.apiFor(settlingPrincipal("kvm-manager")),
        record: (entry) => void app.activity.record(entry),
      });
    };
    return {
      handlers: projectHandlers({
        projects,
        access: app.access,
        hub: app.hub,
        clock: app.clock,
        vm: (id) => app.vm(id),
      }),
      periodic: [{ name: "projects", every: () => LOOK_MS, run: look }],
      host: (host) => {
        host.projects = projects;
        return {
          replaced: (vmId) => {
            const name = projects.forget(vmId);
            return name === undefined ? [] : [name];
          },
        };
      },
    };
  },
});
