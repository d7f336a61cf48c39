/** Taking an external snapshot: they go on in new images, and the guest agent has the guest ready for that. */
import type { SnapshotResult } from "../../../ffi/calls/mod.ts";
import { ContractError, type Output, type VM } from "../../../lib/contract/mod.ts";
import { externalSnapshotXml } from "../../../lib/formats/xml/snapshot.ts";
import { keptDisks } from "../../../lib/vm/snapshots.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { Principal } from "../../access.ts";
import type { Clock } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { type Quiescing, quiescingOf, withFrozenGuest } from "../../hosts/quiesce.ts";
import { thawGuest } from "../../hosts/thaw.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { keyOf } from "../../operations/operation_record.ts";
import type { CheckedImage } from "../../storage/disk_images/check.ts";
import { changingDisks, mergedImage, mergedText } from "./next_start.ts";
import { diskAt, judge, makeOverlay, storeDisks } from "./overlays.ts";
import { requireReachable } from "../../storage/reachable.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** A snapshot to be taken. */
export interface SnapshotToTake {
  readonly name: string;
  readonly description: string | undefined;
  /** Whether the guest agent is asked: true: or there is none; undefined: where it answers. */
  readonly quiesce: boolean | undefined;
}

/** An image that a disk goes on in. */
type Overlay = Pick<CheckedImage, "path" | "format" | "type" | "backing">;

/** Whether a guest agent is asked. @throws {ContractError} SnapshotNotPossible where it has to be and does not answer */
function quiesceOf(vm: VM, by: Quiescing, quiesce: boolean | undefined): "no" | "try" | "must" {
  const answers = by !== "none";
  if (quiesce === true && isLive(vm) && !answers) {
    const reason = "its guest agent does not answer, so the guest cannot be asked to write all to its disks";
    throw new ContractError("SnapshotNotPossible", { reason });
  }
  if (!answers || quiesce === false) return "no";
  return quiesce === true ? "must" : "try";
}

/**
 * Takes a snapshot of a VM's disks alone. What fails is taken back; a guest that was frozen is thawed.
 *
 * @throws {ContractError} SnapshotNotPossible, SnapshotFailed, DiskRefused, StorageBusy
 */
export async function takeExternalSnapshot(
  host: LibvirtHost,
  vm: VM,
  { name, description, quiesce }: SnapshotToTake,
  { principal, clock }: { readonly principal: Pick<Principal, "name">; readonly clock: Clock },
): Promise<Output<"create_snapshot">> {
  const { link, operations } = host;
  const by = isLive(vm) && quiesce !== false ? await quiescingOf(host, vm) : "none";
  const asks = quiesceOf(vm, by, quiesce);
  const notes: string[] = [];
  using held = new DisposableStack();
  const overlays = new Map<string, Overlay>();
  const work = async (operation: Operation) => {
    await requireSameImages(host, vm);
    for (const disk of keptDisks(vm.disks)) {
      const { target } = disk;
      const image = await judge(host, vm, diskAt(disk), held);
      const { path } = await makeOverlay(host, operation, { vm, target, image, what: name }, held);
      overlays.set(target, { path, format: "qcow2", type: "file", backing: [image, ...image.backing] });
    }
    const disks = vm.disks.map(({ target }) => ({ target, overlay: overlays.get(target)?.path }));
    const xml = externalSnapshotXml({ name, description, disks });
    await requireReachable(host, xml);
    operation.add({
      kind: "disks-switched",
      uuid: vm.id,
      name: vm.name,
      disks: [...overlays].map(([target, { path, backing }]) => ({
        target,
        overlay: path,
        chain: backing.map(({ path, format, type }) => ({ path, format, type })),
      })),
    });
    // Whatever happens to libvirt or to this process from here on: the guest is thawed, and what no snapshot uses goes, if
    // it can be told that none will: not on another host.
    if (asks !== "no") {
      if (link.machine !== null) operation.turnBack();
      const thawsItself = by === "own";
      operation.add({
        kind: "guest-frozen",
        uuid: vm.id,
        name: vm.name,
        ...(thawsItself && { thawsItself }),
      });
    }
    const take = (quiesce: typeof asks) => link.call("snapshotOfDisks", { uuid: vm.id, xml, quiesce });
    const taken = by === "own"
      ? await takeStill(host, vm, () => take("no"), asks === "must")
      : await take(asks);
    await host.reread(vm);
    return taken;
  };
  const spec = {
    command: "create_snapshot",
    subject: vm.name,
    vmId: vm.id,
    actor: principal.name,
    keys: [keyOf.vm(vm.id)],
  } as const;
  try {
    const { quiesced, notQuiesced, notThawed } = await operations.run(spec, work);
    if (notQuiesced !== undefined) {
      notes.push(`The guest agent did not quiesce the guest: ${notQuiesced}. It is as after a power failure`);
    }
    if (notThawed !== undefined && asks !== "no") {
      const still = await thawGuest(host, vm, clock);
      if (still !== undefined) notes.push(still);
    }
    await pin(host, vm, overlays);
    return { name, external: true, quiesced, ...(notes.length > 0 && { notes }) };
  } catch (error) {
    throw contractError(error, "SnapshotFailed", "create_snapshot");
  }
}

/** @throws {ContractError} SnapshotNotPossible for a VM that runs and starts from other images next time */
async function requireSameImages(host: LibvirtHost, vm: VM): Promise<void> {
  const [disk] = await changingDisks(host, vm);
  if (disk === undefined) return;
  const merged = await mergedImage(host, vm);
  if (merged !== undefined) throw new ContractError("SnapshotNotPossible", { reason: mergedText(merged) });
  const reason =
    `disk ${disk.target} is on another image from the next start on: ${disk.path}. Shut the VM down and start it before`;
  throw new ContractError("SnapshotNotPossible", { reason });
}

/**
 * Takes it while our agent keeps the guest still.
 *
 * @param isMust takes none where it does not
 * @throws {ContractError} SnapshotNotPossible @throws {LibvirtError}
 */
async function takeStill(
  host: LibvirtHost,
  vm: VM,
  take: () => Promise<SnapshotResult>,
  isMust: boolean,
): Promise<SnapshotResult> {
  const { result, not } = await withFrozenGuest(host, vm, take, isMust ? refused : undefined);
  return not === undefined ? { ...result, quiesced: true } : { ...result, notQuiesced: not };
}

/** Error for a guest that has to stand still, and does not. */
const refused = (reason: Sentence) => new ContractError("SnapshotNotPossible", { reason });

/** Writes the judged chains into the definition, which libvirt leaves open. Where that fails, the next start judges them. */
async function pin(host: LibvirtHost, vm: VM, overlays: ReadonlyMap<string, Overlay>): Promise<void> {
  try {
    await storeDisks(host, vm, overlays);
  } catch (error) {
    log.warn("the chains of a VM's disks could not be stored", { vm: vm.name, error: messageOf(error) });
  }
}
