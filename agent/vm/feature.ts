/** VMs: made, started and stopped, changed, copied and deleted. */
import type {
  cloudInitCommands,
  CommandName,
  createCommands,
  deviceCommands,
  hardwareCommands,
  hostDeviceCommands,
  manageCommands,
  ovaCommands,
  snapshotCommands,
  vmCommands,
} from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import type { App } from "../app.ts";
import type { Clock } from "../clock.ts";
import type { Host } from "../hosts/host.ts";
import { isLocal } from "../libvirt/uri.ts";
import type { Store } from "../store/store.ts";
import { MEDIA_OWNER_MIGRATIONS, MediaOwners } from "./media_owners.ts";
import { VmActivity } from "./activity.ts";
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
import { ovaHandlers } from "./ova/handlers.ts";
import { runningDiskSteps } from "./running_disks.ts";
import { snapshotHandlers } from "./snapshots/handlers.ts";
import { SnapshotImages } from "./snapshots/images.ts";
import { snapshotSteps } from "./snapshots/steps.ts";
import { showStartRisks } from "./lifecycle/start_risks.ts";
import { vmSteps } from "./steps.ts";
import { hardwareHandlers } from "./update/handlers.ts";

/** Milliseconds between looks for media to give back. */
const LOOK_MS = 5000;

/** Owners of the media of this machine. */
function mediaOwnersOf({ link, inventory, capabilities }: Host, store: Store, clock: Clock): MediaOwners {
  return new MediaOwners(store, clock, {
    vms: () => link.status.connected && inventory.filled ? inventory.vms() : undefined,
    qemuUser: () => capabilities.qemuUser(),
  });
}

/** Commands on the VMs of all hosts. */
type ListCommand = keyof ReturnType<typeof vmListHandlers>;
type VmCommand = Exclude<
  Extract<
    CommandName,
    | keyof typeof vmCommands
    | keyof typeof createCommands
    | keyof typeof cloudInitCommands
    | keyof typeof deviceCommands
    | keyof typeof hostDeviceCommands
    | keyof typeof hardwareCommands
    | keyof typeof manageCommands
    | keyof typeof ovaCommands
    | keyof typeof snapshotCommands
  >,
  ListCommand | "get_vnc_info"
>;

const steps = { ...vmSteps, ...snapshotSteps, ...runningDiskSteps, ...moveSteps, ...deviceSteps };

/** Milliseconds between looks at what of VMs that run would not be started here. */
const RISKS_MS = 60_000;

export const vmFeature = feature<ListCommand, VmCommand, keyof typeof steps>({
  name: "vms",
  steps,
  migrations: [...FORMER_NAME_MIGRATIONS, ...KNOWN_VM_MIGRATIONS, ...MEDIA_OWNER_MIGRATIONS],
  open: ({ hosts, activity, formerNames, images, settings, clock, store }: App) => ({
    handlers: vmListHandlers(hosts),
    host: (host) => {
      const told = new VmActivity(host, activity);
      const seen = new SeenVms(host, () => hosts.areSettled);
      const kept = new SnapshotImages(host);
      host.keepers.add(kept.keeper);
      const owners = isLocal(host.link.uri) ? mediaOwnersOf(host, store, clock) : undefined;
      host.mediaOwners = owners;
      const allowOvercommit = settings.overcommit === "allow";
      return {
        handlers: {
          ...vmHandlers(host),
          ...createHandlers(createServices(host)),
          ...cloudInitHandlers(host),
          ...deviceHandlers(host),
          ...manageHandlers(host),
          ...ovaHandlers({ host, imagePolicy: () => images.policy() }),
          ...snapshotHandlers({ host, images: kept, clock }),
          ...hardwareHandlers(host, host.make, host.capabilities, allowOvercommit),
        },
        changed: (change) => {
          told.onChange(change);
          // Also of a VM that is renamed: libvirt takes its definition away under the old name.
          if (change.event === "undefined") formerNames.add(change.vmId, change.vmName);
        },
        connected: () => {
          seen.whole();
          return kept.read();
        },
        hostsSettled: () => seen.whole(),
        disconnected: () => seen.disconnected(),
        stop: () => seen[Symbol.dispose](),
        periodic: [
          { name: "start risks", every: () => RISKS_MS, run: () => showStartRisks(host) },
          ...owners === undefined
            ? []
            : [{ name: "media owners", every: () => LOOK_MS, run: () => owners.putBack() }],
        ],
      };
    },
  }),
});
