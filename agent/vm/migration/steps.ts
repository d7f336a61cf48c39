/**
 * Moves between hosts as steps. On both hosts libvirt decides: on the one a VM comes to, it has come once it is there and no
 * longer held; on the one it leaves, it is gone once the other one has it.
 */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import { namesText } from "../../../lib/coverage/coverage.ts";
import type { IncomingState } from "../../../lib/host/migration_protocol.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import { NOTHING, Unsettled } from "../../operations/outcome.ts";
import type { StepRule, StepRules } from "../../operations/settlement.ts";
import type { VmIncoming, VmOutgoing } from "../../operations/step.ts";
import { removeOldVolume } from "../../storage/old_volume.ts";
import { eraseNvram, isOff, undefineStopped } from "../lifecycle/undefine.ts";
import { incomingState, isMoving, isTakenBack } from "./domain_state.ts";
import { recordMoved } from "./moved_snapshots.ts";
import { t } from "./findings.ts";
import { endCopyHere, hasArrived } from "./late_arrival.ts";

/**
 * Completes here the move of a VM that runs on the other host.
 *
 * @returns the parts that stay, for people @throws {LibvirtError}
 */
export async function completeMigration(
  host: LibvirtHost,
  { uuid, old, nvram }: VmOutgoing,
  actor: string,
): Promise<string[]> {
  const stays: string[] = [];
  await host.inventory.refresh(uuid);
  if (nvram !== undefined) await eraseNvram(host, uuid, nvram);
  for (const volume of old) {
    const { isThere = true, reason } = await removeOldVolume(host, volume, actor);
    if (isThere) {
      stays.push(t("migration.volume_stays", { path: volume.path, reason: reason ?? "" }));
    }
  }
  return stays;
}

/** The state of a VM on another host. @throws {Unsettled} while that is not known */
async function askState(host: LibvirtHost, other: string, uuid: string): Promise<IncomingState> {
  try {
    return await host.stateOn(other, uuid);
  } catch (error) {
    log.debug("whether a VM has moved cannot be asked", { host: other, error });
    throw new Unsettled(t("migration.not_known", { host: other, reason: messageOf(error) }));
  }
}

/** The state of the VM on the host that it moves to. @throws {Unsettled} while that is not known */
async function stateThere(host: LibvirtHost, { uuid, to }: VmOutgoing): Promise<IncomingState> {
  const state = await askState(host, to, uuid);
  if (state === "incoming") throw new Unsettled(t("migration.is_incoming"));
  return state;
}

/** Whether the other host has the VM. @throws {Unsettled} while that is not known */
const isThere = async (host: LibvirtHost, step: VmOutgoing): Promise<boolean> =>
  await stateThere(host, step) !== "missing";

/**
 * Whether a VM that goes on here came there all the same: the last answer of that libvirt was lost, and both run it.
 *
 * @throws {Unsettled} while that is not known
 */
async function runsTwice(host: LibvirtHost, step: VmOutgoing, domain: DomainRecord): Promise<boolean> {
  if (step.wasOff || !isTakenBack(domain, step.wasRunning)) return false;
  return hasArrived(await stateThere(host, step));
}

const vmOutgoing: StepRule<"vm-outgoing"> = {
  undo: async (step, { vms, operation: { actor } }) => {
    const { uuid, to, wasRunning, wasOff } = step, { link } = vms;
    const domain = await link.call("domainRead", { uuid }), notes: string[] = [];
    if (domain !== null && await runsTwice(vms, step, domain)) {
      notes.push(await endCopyHere(vms, domain, to));
    } else if (domain !== null) {
      const isHeld = isMoving(domain);
      // The other host was never told to define it: nothing depends on its answer
      if (wasOff && step.mayBeThere !== true) return NOTHING;
      // It goes on here: libvirt has taken the move back
      if (!isOff(domain) && !isHeld) {
        return wasOff && await isThere(vms, step)
          ? { did: "left", note: t("migration.copy_stays", { host: to }) }
          : NOTHING;
      }
      if (!await isThere(vms, step)) {
        if (!isHeld || !wasRunning) return NOTHING;
        await link.call("domainResume", { uuid });
        return { did: "done", note: t("migration.resumed") };
      }
      if (wasOff) await undefineStopped(vms, uuid);
      else notes.push(await endCopyHere(vms, domain, to));
    } else if (!await isThere(vms, step)) {
      // Somebody has undefined it, or moved it on
      return NOTHING;
    }
    const stays = await completeMigration(vms, step, actor);
    const { follows = [] } = step;
    if (follows.length > 0) {
      stays.push(t("migration.check.covered", { host: to, things: namesText(follows) }));
    }
    return {
      did: "kept",
      note: [t("migration.is_elsewhere", { host: to }), ...notes, ...stays].join(" "),
      stop: true,
    };
  },
};

/**
 * State of an incoming VM. One that has not left its host yet is taken away here.
 *
 * @throws {Unsettled} while that is not known
 */
async function comeState(host: LibvirtHost, { uuid, leaves }: VmIncoming): Promise<IncomingState> {
  const state = incomingState(await host.link.call("domainRead", { uuid }));
  if (leaves === undefined || state !== "off") return state;
  if (await askState(host, leaves, uuid) === "missing") return state;
  return await undefineStopped(host, uuid, "domainUndefineKeeping") ? "missing" : state;
}

const vmIncoming: StepRule<"vm-incoming"> = {
  undo: async (step, { vms }) => {
    const { uuid, snapshots = [] } = step, state = await comeState(vms, step);
    if (state === "missing") {
      // libvirt's event may come later: its volumes, which go next, are not its own any more
      await vms.inventory.refresh(uuid);
      return NOTHING;
    }
    if (state === "incoming") throw new Unsettled(t("migration.is_incoming"));
    if (state === "off") await recordMoved(vms, uuid, snapshots);
    return { did: "kept", note: t("migration.is_here"), stop: true };
  },
};

/** How moves between hosts are settled. */
export const migrationSteps = {
  "vm-outgoing": vmOutgoing,
  "vm-incoming": vmIncoming,
} satisfies Partial<StepRules>;
