/** VMs: made, started and stopped, changed, copied and deleted. */
import type {
  cloudInitCommands,
  CommandName,
  createCommands,
  deviceCommands,
  foreignCommands,
  hardwareCommands,
  hostDeviceCommands,
  manageCommands,
  migrationCommands,
  nicCommands,
  ovaCommands,
  projectVmCommands,
  snapshotCommands,
  vmBatchCommands,
  vmCommands,
} from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import type { Clock } from "../clock.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import { log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { delegateFor } from "../access/delegation.ts";
import { MEDIA_OWNER_MIGRATIONS, MediaOwners } from "./media_owners.ts";
import { VmActivity } from "./activity.ts";
import { FOREIGN_CHOICE_MIGRATIONS, ForeignChoices } from "./foreign/choices.ts";
import { foreignHandlers } from "./foreign/handlers.ts";
import { KEPT_PART_MIGRATIONS, KEPT_PARTS, KeptParts } from "./foreign/remote/kept_parts.ts";
import { ForeignLogins } from "./foreign/remote/logins.ts";
import { FORMER_NAME_MIGRATIONS } from "./former_names.ts";
import { KNOWN_VM_MIGRATIONS } from "./known_vms.ts";
import { SeenVms } from "./seen_vms.ts";
import { cloudInitHandlers } from "./cloud_init/handlers.ts";
import { createServices } from "./create/facts.ts";
import { createHandlers } from "./create/handlers.ts";
import { deviceHandlers } from "./devices/handlers.ts";
import { deviceSteps } from "./devices/device_steps.ts";
import { moveSteps } from "./devices/move/steps.ts";
import { vmHandlers, vmListHandlers } from "./handlers.ts";
import { manageHandlers } from "./manage.ts";
import { migrationHandlers } from "./migration/handlers.ts";
import { MOVE_MIGRATIONS, MoveQueue } from "./migration/move_queue.ts";
import { MoveSlots } from "./migration/move_slots.ts";
import { migrateVm } from "./migration/outgoing.ts";
import { migrationSteps } from "./migration/steps.ts";
import { stateOn } from "./migration/state_on.ts";
import { ovaHandlers } from "./ova/handlers.ts";
import { runningDiskSteps } from "./running_disks.ts";
import { snapshotHandlers } from "./snapshots/handlers.ts";
import { SnapshotImages } from "./snapshots/images.ts";
import { snapshotSteps } from "./snapshots/steps.ts";
import { UNUSED_OVERLAY_MIGRATIONS, UNUSED_OVERLAYS, UnusedOverlays } from "./snapshots/unused_overlays.ts";
import { showStartRisks } from "./lifecycle/start_risks.ts";
import { vmSteps } from "./steps.ts";
import { hardwareHandlers } from "./update/handlers.ts";
import { forgetLeftFiles } from "../storage/left_files.ts";
import { ownPlaces } from "../own_places.ts";
import { backupFolders } from "./devices/shared_folder.ts";

/** Milliseconds between looks for media to give back, and for images that wait to be deleted. */
const LOOK_MS = 5000;

/** Owners of the media of this machine, which all libvirts of it may have in their VMs. */
function mediaOwnersHere(
  { hosts, store, clock }: { readonly hosts: HostRegistry; readonly store: Store; readonly clock: Clock },
): MediaOwners {
  const here = () => hosts.all().filter(({ machine }) => machine !== null);
  return new MediaOwners(store, clock, {
    vms: () => {
      const all = here();
      const isKnown = all.every(({ link, inventory }) => link.status.connected && inventory.filled);
      return isKnown ? all.flatMap(({ inventory }) => inventory.everyVm()) : undefined;
    },
    qemuUser: async () => await here()[0]?.capabilities.qemuUser(),
  });
}

/** Commands on the VMs of all hosts. */
type ListCommand = keyof ReturnType<typeof vmListHandlers>;
type VmCommand = Exclude<
  Extract<
    CommandName,
    | keyof typeof vmBatchCommands
    | keyof typeof vmCommands
    | keyof typeof createCommands
    | keyof typeof projectVmCommands
    | keyof typeof cloudInitCommands
    | keyof typeof deviceCommands
    | keyof typeof nicCommands
    | keyof typeof foreignCommands
    | keyof typeof hostDeviceCommands
    | keyof typeof hardwareCommands
    | keyof typeof manageCommands
    | keyof typeof migrationCommands
    | keyof typeof ovaCommands
    | keyof typeof snapshotCommands
  >,
  ListCommand | "get_vnc_info"
>;

const steps = {
  ...vmSteps,
  ...snapshotSteps,
  ...runningDiskSteps,
  ...moveSteps,
  ...deviceSteps,
  ...migrationSteps,
};

/** Milliseconds between looks at what of VMs that run would not be started here. */
const RISKS_MS = 60_000;

/** Milliseconds between looks at sign-ins whose time is over. */
const LOGIN_SWEEP_MS = 60_000;

export const vmFeature = feature<ListCommand, VmCommand, keyof typeof steps>({
  name: "vms",
  steps,
  migrations: [
    ...FORMER_NAME_MIGRATIONS,
    ...KNOWN_VM_MIGRATIONS,
    ...MEDIA_OWNER_MIGRATIONS,
    ...UNUSED_OVERLAY_MIGRATIONS,
    ...MOVE_MIGRATIONS,
    ...FOREIGN_CHOICE_MIGRATIONS,
    ...KEPT_PART_MIGRATIONS,
  ],
  open: (app) => {
    const mediaOwners = mediaOwnersHere(app),
      choices = new ForeignChoices(app.store),
      logins = new ForeignLogins(app.clock);
    const limitOf = (hostId: string) => app.moveLimit.get()(hostId);
    const queue = new MoveQueue({
      store: app.store,
      clock: app.clock,
      hosts: app.hosts,
      linked: app.linked,
      limitOf,
      delegate: (by, holder) => delegateFor(app, by, holder),
      carryOut: (host, input, principal, jobs) =>
        migrateVm(
          host,
          {
            linked: app.linked,
            coverage: app.coverage,
            figures: () => app.figureTransfer.get(),
            jobs,
          },
          input,
          principal,
        ),
    });
    app.moves.give(queue);
    const migration = {
      linked: app.linked,
      coverage: app.coverage,
      figures: () => app.figureTransfer.get(),
      queue,
      copies: app,
      hosts: app.hosts,
      rulesAgainst: (vm: VM, hostId: string) => app.rulesAgainst.get()(vm, hostId),
    };
    return {
      stop: () => queue.stop(),
      handlers: vmListHandlers(app.hosts, app.linked, migration, app.projects),
      periodic: [
        { name: "media owners", every: () => LOOK_MS, run: () => mediaOwners.putBack() },
        { name: "sign-ins of imports", every: () => LOGIN_SWEEP_MS, run: () => logins.sweep() },
      ],
      forgetHost: (hostId) => {
        app.knownVms.reconcile(hostId, new Set());
        app.leftDisks.forgetHost(hostId);
        for (const kind of [UNUSED_OVERLAYS, KEPT_PARTS]) forgetLeftFiles(app.store, kind, hostId);
        choices.forgetHost(hostId);
      },
      host: (host) => {
        const { hosts, activity, formerNames, knownVms, images, settings, clock, store, coverage, sshKeys } =
          app;
        host.labels = knownVms;
        host.stateOn = (hostId, vmId) => stateOn(app, hostId, vmId);
        host.closedPlaces = () => ({ own: ownPlaces(settings), backups: backupFolders(app) });
        const told = new VmActivity(host, activity);
        const seen = new SeenVms(host, { knownVms, store, areHostsSettled: () => hosts.areSettled });
        const kept = new SnapshotImages(host);
        const unused = host.machine === null ? undefined : new UnusedOverlays(host, store);
        host.unusedOverlays = unused;
        const parts = host.machine === null ? undefined : new KeptParts(host, store);
        host.keptParts = parts;
        host.keepers.add(kept.keeper);
        host.arrivals = new MoveSlots(host, () => limitOf(host.id));
        host.mediaOwners = host.machine !== null ? mediaOwners : undefined;
        const allowOvercommit = settings.overcommit === "allow";
        return {
          handlers: {
            ...vmHandlers(host, coverage),
            ...createHandlers(createServices(host, app), sshKeys),
            ...cloudInitHandlers(host, sshKeys),
            ...deviceHandlers(host),
            ...manageHandlers(host),
            ...migrationHandlers(host, migration),
            ...ovaHandlers({ host, imagePolicy: () => images.policy() }),
            ...foreignHandlers({
              host,
              hosts,
              choices,
              logins,
              parts,
              ssh: app.ssh,
              imagePolicy: () => images.policy(),
            }),
            ...snapshotHandlers({ host, images: kept, clock }),
            ...hardwareHandlers(host, host.make, host.capabilities, allowOvercommit, coverage),
          },
          changed: (change) => {
            told.onChange(change);
            if (change.event === "stopped" || change.event === "undefined") {
              unused?.sweep(change.vmId).catch((error) =>
                log.error("images that a snapshot has left could not be looked at", {
                  vm: change.vmName,
                  error,
                })
              );
            }
            // Also of a VM that is renamed: libvirt takes its definition away under the old name.
            if (change.event === "undefined") formerNames.add(change.vmId, change.vmName);
          },
          connected: async () => {
            queue.resume(host);
            seen.whole();
            await kept.read();
            await unused?.sweepAll();
          },
          hostsSettled: () => seen.whole(),
          disconnected: () => seen.disconnected(),
          stop: () => {
            seen[Symbol.dispose]();
            unused?.[Symbol.dispose]();
            parts?.[Symbol.dispose]();
          },
          periodic: [
            { name: "start risks", every: () => RISKS_MS, run: () => showStartRisks(host) },
            { name: "parts of imports", every: () => RISKS_MS, run: () => parts?.sweep() },
            // Somebody may have deleted one since
            {
              name: "unused images",
              every: () => unused?.isWaiting ? LOOK_MS : RISKS_MS,
              run: () => unused?.sweepAll(),
            },
          ],
        };
      },
    };
  },
});
