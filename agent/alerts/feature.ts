/** Alerts: what is watched, what fires, and who is told. */
import { locales } from "../../lib/i18n/locale.ts";
import { languageOfEnvironment } from "../../lib/i18n/shell_language.ts";
import type { alertCommands, alertTargetCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { Delivery } from "./delivery.ts";
import { AlertEngine } from "./engine.ts";
import { alertCoversOf, portableAlerts, releaseHostAlerts, releaseVmAlerts } from "./covers.ts";
import { alertHandlers, endOld } from "./handlers.ts";
import { Outbox } from "./outbox.ts";
import { ALERT_MIGRATIONS, AlertRecords } from "./records.ts";
import { alertTargetHandlers, peerTargets } from "./target_handlers.ts";
import { AlertWatcher, type WatchedHost } from "./watcher.ts";
import { HOUR_MS } from "../../lib/duration.ts";

/** Milliseconds between looks at messages that wait. */
const SEND_MS = 5000;
/** Milliseconds between looks at what is too old. */
const UPKEEP_MS = HOUR_MS;

const watched = ({ id, link, inventory, hangs }: LibvirtHost): WatchedHost => ({
  id,
  hangs: hangs.reports.open,
  isConnected: link.status.connected,
  vms: inventory.vms(),
});

export const alertFeature = feature<keyof typeof alertCommands | keyof typeof alertTargetCommands>({
  name: "alerts",
  migrations: ALERT_MIGRATIONS,
  open: (app) => {
    const { store, clock, hosts, hub, figures, jobs, settings: { metricsInterval } } = app;
    const vm = (vmId: string) => hosts.vm(vmId);
    const records = new AlertRecords(store), outbox = new Outbox(records, clock);
    const engine = new AlertEngine({
      records,
      outbox,
      clock,
      publish: (events) => hub.publishAll(events),
      groupOf: (vmId) => vm(vmId)?.group,
      isHeld: (hostId) => app.maintenanceOf.get()(hostId) !== undefined,
    });
    app.coverage.add(() => alertCoversOf(records, clock.now()));
    records.attach((open) => engine.takeUp(open));
    const watcher = new AlertWatcher(engine, clock);
    const delivery = new Delivery({
      records,
      outbox,
      jobs,
      clock,
      hostname: () => hosts.local.inventory.hostname,
      language: () => languageOfEnvironment((name) => Deno.env.get(name), locales()),
    });
    app.peerTargets.give(peerTargets(records));
    const stopping = new AbortController();
    const following = figures.follow((id, taken) => {
      const host = hosts.named(id);
      // Before a host was read, a VM that is not known yet would look like one that is gone
      if (host?.inventory.filled) watcher.figures(watched(host), taken);
    });
    return {
      handlers: {
        ...alertHandlers({ records, engine, clock, places: app.places, coverage: app.coverage }),
        ...alertTargetHandlers({ records, delivery, stopping: stopping.signal }),
      },
      periodic: [
        {
          name: "alerts on the program",
          every: () => metricsInterval * 1000,
          run: () => {
            const certificate = app.doors && (app.doors.certificates?.about.notAfter ?? null);
            const all = hosts.all().map(watched);
            watcher.program(all, certificate);
            for (const host of all) watcher.hangs(host, true);
          },
        },
        {
          name: "alerts on backups",
          every: () => metricsInterval * 1000,
          run: async () => {
            const { local } = hosts, others = hosts.all().filter((host) => host !== local);
            await local.settled();
            const schedules = app.scheduleList.get()();
            watcher.schedules(watched(local), schedules, app.coverage.faults());
            if (!local.inventory.filled) return;
            watcher.backups(
              watched(local),
              others.filter(({ inventory }) => inventory.filled).map(watched),
              app.backupList.get()(),
              schedules,
              (backupId, vmId) => app.backups.newestCopy(backupId, vmId),
            );
          },
        },
        {
          name: "alerts on replicas",
          every: () => metricsInterval * 1000,
          run: () => watcher.replicas(watched(hosts.local), app.replicaLags.get()()),
        },
        { name: "alert messages", every: () => SEND_MS, run: (signal) => delivery.run(signal) },
        {
          name: "alert upkeep",
          every: () => UPKEEP_MS,
          run: () => {
            if (app.drift.held === undefined) records.prune(clock.now());
            endOld(records, clock.now());
          },
        },
      ],
      stop: () => {
        stopping.abort();
        following[Symbol.dispose]();
      },
      forgetHost: (hostId) => releaseHostAlerts(records, engine, hostId),
      host: (host) => ({
        changed: ({ vmId, event }) => watcher.told(host.id, host.inventory.vm(vmId), event),
        portable: (vm) => portableAlerts(records, engine, vm),
        replaced: (vmId) => releaseVmAlerts(records, engine, vmId),
        hangsChanged: () => watcher.hangs(watched(host), false),
      }),
    };
  },
});
