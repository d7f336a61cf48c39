/** Hosts in maintenance. */
import type { maintenanceCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { maintenanceHandlers } from "./handlers.ts";
import { MaintenanceService } from "./maintenance.ts";
import { MAINTENANCE_MIGRATIONS } from "./records.ts";

/** Milliseconds between looks whether work that an earlier run has left can go on. */
const LOOK_MS = 2000;

export const maintenanceFeature = feature<never, keyof typeof maintenanceCommands>({
  name: "maintenance",
  migrations: MAINTENANCE_MIGRATIONS,
  open: (app) => {
    const service = new MaintenanceService(app);
    app.moveLimit.give(service.limitOf);
    app.maintenanceOf.give(service.summaryOf);
    return {
      stop: () => service.close(),
      forgetHost: (hostId) => service.forget(hostId),
      hostAdded: (hostId) => service.forget(hostId),
      host: (host) => {
        host.maintenance = service.guard(host);
        return {
          handlers: maintenanceHandlers(host, { service, plan: app, places: app.places }),
          periodic: [{
            name: "maintenance",
            every: () => LOOK_MS,
            run: () => {
              if (host.inventory.filled && app.access.accounts.records.isLoaded) service.resume(host);
            },
          }],
        };
      },
    };
  },
});
