/** The part of the feature of VMs on one host. */
import { foreignHandlers } from "./foreign/handlers.ts";
import { cloudInitHandlers } from "./cloud_init/handlers.ts";
import { createHandlers } from "./create/handlers.ts";
import { deviceHandlers } from "./devices/handlers.ts";
import { vmHandlers, vmListHandlers } from "./handlers.ts";
import { manageHandlers } from "./manage.ts";
import { ovaHandlers } from "./ova/handlers.ts";
import { snapshotHandlers } from "./snapshots/handlers.ts";
import { hardwareHandlers } from "./update/handlers.ts";
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
import type { Clock } from "../clock.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import { log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { MediaOwners } from "./media_owners.ts";
import { VmActivity } from "./activity.ts";
import { ForeignChoices } from "./foreign/choices.ts";
import { KeptParts } from "./foreign/remote/kept_parts.ts";
import { ForeignLogins } from "./foreign/remote/logins.ts";
import { SeenVms } from "./seen_vms.ts";
import { createServices, type CreateSources } from "./create/facts.ts";
import { migrationHandlers } from "./migration/handlers.ts";
import { MoveQueue } from "./migration/move_queue.ts";
import { MoveSlots } from "./migration/move_slots.ts";
import { stateOn } from "./migration/state_on.ts";
import { SnapshotImages } from "./snapshots/images.ts";
import { UnusedOverlays } from "./snapshots/unused_overlays.ts";
import { showStartRisks } from "./lifecycle/start_risks.ts";
import { ownPlaces } from "../own_places.ts";
import { backupFolders } from "./devices/shared_folder.ts";
import type { AccountSshKeys } from "../access/ssh_keys.ts";
import type { Coverage } from "../coverage/coverage.ts";
import type { HostPart } from "../feature_part.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { SshFiles } from "../hosts/ssh/files.ts";
import type { Settings } from "../settings.ts";
import type { ActivityLog } from "../store/activity.ts";
import type { FormerNames } from "./former_names.ts";
import type { KnownVms } from "./known_vms.ts";

/** Commands on the VMs of all hosts. */
export type ListCommand = keyof ReturnType<typeof vmListHandlers>;
export type VmCommand = Exclude<
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

/** Milliseconds between looks for media to give back, and for images that wait to be deleted. */
export const MEDIA_LOOK_MS = 5000;

/** Milliseconds between looks at what of VMs that run would not be started here. */
const RISKS_MS = 60_000;

/** Services of the application that the part on a host needs. */
type HostPartServices =
  & CreateSources
  & Parameters<typeof stateOn>[0]
  & Parameters<typeof backupFolders>[0]
  & {
    readonly hosts: HostRegistry;
    readonly activity: ActivityLog;
    readonly formerNames: FormerNames;
    readonly knownVms: KnownVms;
    readonly settings: Settings;
    readonly clock: Clock;
    readonly store: Store;
    readonly coverage: Coverage;
    readonly sshKeys: AccountSshKeys;
    readonly ssh: SshFiles;
  };

/** Objects that the VMs of all hosts share. */
interface SharedByHosts {
  readonly migration: Parameters<typeof migrationHandlers>[1];
  readonly queue: MoveQueue;
  readonly choices: ForeignChoices;
  readonly logins: ForeignLogins;
  readonly mediaOwners: MediaOwners;
  /** VMs that come to a host at once. */
  readonly limitOf: (hostId: string) => number;
}

/** VMs on one host: their commands, what follows their changes, and periodic work. */
export function vmsOnHost(
  host: LibvirtHost,
  app: HostPartServices,
  { migration, queue, choices, logins, mediaOwners, limitOf }: SharedByHosts,
): HostPart<VmCommand> {
  const { hosts, activity, formerNames, knownVms, images, settings, clock, store, coverage, sshKeys } = app;
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
        every: () => unused?.isWaiting ? MEDIA_LOOK_MS : RISKS_MS,
        run: () => unused?.sweepAll(),
      },
    ],
  };
}
