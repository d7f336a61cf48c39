/** VMs: made, started and stopped, changed, copied and deleted. */
import { MEDIA_OWNER_MIGRATIONS, MediaOwners } from "./media_owners.ts";
import { FOREIGN_CHOICE_MIGRATIONS, ForeignChoices } from "./foreign/choices.ts";
import { KEPT_PART_MIGRATIONS, KEPT_PARTS } from "./foreign/remote/kept_parts.ts";
import { FORMER_NAME_MIGRATIONS } from "./former_names.ts";
import { KNOWN_VM_MIGRATIONS } from "./known_vms.ts";
import { deviceSteps } from "./devices/device_steps.ts";
import { moveSteps } from "./devices/move/steps.ts";
import { MOVE_MIGRATIONS, MoveQueue } from "./migration/move_queue.ts";
import { migrationSteps } from "./migration/steps.ts";
import { runningDiskSteps } from "./running_disks.ts";
import { snapshotSteps } from "./snapshots/steps.ts";
import { UNUSED_OVERLAY_MIGRATIONS, UNUSED_OVERLAYS } from "./snapshots/unused_overlays.ts";
import { vmSteps } from "./steps.ts";
import { feature } from "../feature.ts";
import type { Clock } from "../clock.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { Store } from "../store/store.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { delegateFor } from "../access/delegation.ts";
import { ForeignLogins } from "./foreign/remote/logins.ts";
import { vmListHandlers } from "./handlers.ts";
import { migrateVm } from "./migration/outgoing.ts";
import { forgetLeftFiles } from "../storage/left_files.ts";
import { type ListCommand, MEDIA_LOOK_MS, type VmCommand, vmsOnHost } from "./on_host.ts";

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

const steps = {
  ...vmSteps,
  ...snapshotSteps,
  ...runningDiskSteps,
  ...moveSteps,
  ...deviceSteps,
  ...migrationSteps,
};

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
        { name: "media owners", every: () => MEDIA_LOOK_MS, run: () => mediaOwners.putBack() },
        { name: "sign-ins of imports", every: () => LOGIN_SWEEP_MS, run: () => logins.sweep() },
      ],
      forgetHost: (hostId) => {
        app.knownVms.reconcile(hostId, new Set());
        app.leftDisks.forgetHost(hostId);
        for (const kind of [UNUSED_OVERLAYS, KEPT_PARTS]) forgetLeftFiles(app.store, kind, hostId);
        choices.forgetHost(hostId);
      },
      host: (host) => vmsOnHost(host, app, { migration, queue, choices, logins, mediaOwners, limitOf }),
    };
  },
});
