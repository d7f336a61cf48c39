/** The plan of a move of a VM to a linked host: its disks and their sizes, and the findings of both hosts. */
import type { MigratableXml } from "../../../ffi/calls/migrate.ts";
import { ContractError, type Input, type Output, type Role, type VM } from "../../../lib/contract/mod.ts";
import { namesText } from "../../../lib/coverage/coverage.ts";
import type { IncomingDisk, MigrationFinding } from "../../../lib/host/migration_protocol.ts";
import { MIB } from "../../../lib/text/byte_units.ts";
import { formatRate } from "../../../lib/text/quantity.ts";
import { estimateOf } from "../../../lib/vm/migration_estimate.ts";
import type { Principal } from "../../access.ts";
import type { Coverage } from "../../coverage/coverage.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { nameOfKey } from "../../hosts/linked/key_name.ts";
import type { LinkedHost } from "../../hosts/linked/linked_host.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import type { FigureTransfer } from "../../metrics/transfer.ts";
import { volumeOfDisk } from "../../storage/disk_path.ts";
import { FolderMarks } from "../../storage/folder_marks.ts";
import { isOwnDisk } from "../lifecycle/disk_copies.ts";
import { MigrationConversation } from "./conversation.ts";
import { measureDirtyRate, measureLine } from "./estimate.ts";
import { problem, t, warning } from "./findings.ts";
import { type Belongings, belongingsOf } from "./hand_over.ts";
import { type LeavingImages, leavingImages, NO_IMAGES } from "./leaving_images.ts";
import { type Movable, requireMovable } from "./movable.ts";
import { chosenPlaces, isPossible, shownDisks, shownFindings } from "./move.ts";
import { checkOutgoing, checkTransport } from "./outgoing_checks.ts";

export type Placing = Pick<
  Input<"migrate_vm">,
  | "vmId"
  | "toHost"
  | "pool"
  | "pools"
  | "networks"
  | "snapshots"
  | "bandwidthMib"
  | "connections"
  | "compression"
  | "directTo"
>;

/** Findings and plan of a move. */
export interface MoveFacts {
  readonly xml: MigratableXml;
  readonly findings: readonly MigrationFinding[];
  readonly disks: readonly IncomingDisk[];
  /** Bytes of each disk as its guest sees it, by target. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Of one that is off and has snapshots. */
  readonly images: LeavingImages;
}

/** The linked host that is meant. @throws {ContractError} HostNotFound, VmNotMovable */
export function moveTarget(
  linked: MigrationWorld["linked"],
  host: LibvirtHost,
  { toHost: to }: Placing,
  { via }: Pick<Principal, "via">,
): LinkedHost {
  // The other KVM Manager may have other names for hosts
  if (via === "link") {
    const named = linked.all().find(({ peer }) => nameOfKey(peer.publicKey) === to);
    if (named !== undefined) return named;
    throw new ContractError("VmNotMovable", {
      host: t("migration.that_host"),
      reason: t("migration.no_link_there"),
    });
  }
  const target = linked.served(to);
  if (target !== undefined) return target;
  if (to === host.id || to === host.label) {
    throw new ContractError("VmNotMovable", { host: to, reason: t("migration.same_host") });
  }
  if (host.isServed(to)) {
    throw new ContractError("VmNotMovable", { host: to, reason: t("migration.not_linked") });
  }
  throw new ContractError("HostNotFound", { host: to });
}

/** Bytes of disks as their guest sees them, or will. */
async function sizesOf(
  { link }: LibvirtHost,
  { id: uuid, disks }: VM,
  isOff: boolean,
): Promise<Map<string, number>> {
  const own = disks.filter(isOwnDisk), targets = own.map(({ target }) => target);
  if (isOff) {
    const volumes = await Promise.all(
      own.map(async (disk) => [disk.target, await volumeOfDisk(link, disk)] as const),
    );
    return new Map(
      volumes.flatMap(([target, volume]) => volume === undefined ? [] : [[target, volume.capacity]]),
    );
  }
  if (targets.length === 0) return new Map();
  const found = await link.call("domainDiskSizes", { uuid, targets });
  return new Map(found.map(({ target, capacity }) => [target, capacity]));
}

/** Dependencies of outgoing moves. */
export interface MigrationWorld {
  readonly linked: Pick<LinkedHosts, "served" | "all">;
  readonly coverage: Pick<Coverage, "of">;
  readonly figures: () => Pick<FigureTransfer, "read">;
  /** Runs a move as a task, where it is one already. */
  readonly jobs?: Pick<Jobs, "run">;
}

/** Looks at both hosts. @throws {ContractError} @throws {LibvirtError} */
export async function look(
  host: LibvirtHost,
  { vm, isOff }: Movable,
  wish: Placing,
  { stays, users }: Belongings,
  role: Role,
  talk: MigrationConversation,
): Promise<MoveFacts> {
  if (host.machine?.isSystem !== true) {
    const xml = { live: "", next: "" };
    return { xml, findings: [problem("source-not-local")], disks: [], sizes: new Map(), images: NO_IMAGES };
  }
  const xml = await host.link.call("domainMigratableXml", { uuid: vm.id });
  const drops = wish.snapshots === "drop", all = isOff ? await leavingImages(host, vm, role) : NO_IMAGES;
  const images = drops ? { ...NO_IMAGES, ofSnapshots: all.ofSnapshots, names: all.names } : all;
  const own = [
    ...await checkOutgoing(host, vm, xml, { isOff, drops }),
    ...images.findings,
    ...stays.length === 0 ? [] : [warning("covered", { things: namesText(stays) })],
    ...users.length === 0 ? [] : [warning("rights", { things: namesText(users) })],
  ];
  const sizes = await sizesOf(host, vm, isOff);
  for (const [target, files] of images.files) {
    sizes.set(target, files.reduce((sum, { bytes }) => sum + bytes, 0));
  }
  await using marks = await FolderMarks.put(vm);
  const { findings, disks, libvirtVersion = 0 } = await talk.ask({
    do: "look",
    vm: {
      vmId: vm.id,
      live: xml.live,
      next: xml.next,
      autostart: vm.autostart,
      isOff,
      disks: vm.disks.filter(({ source }) => source !== undefined).map(({ target, source }) => {
        const mark = marks.ofImage(source);
        const files = images.files.get(target);
        return {
          target,
          size: sizes.get(target) ?? 0,
          ...(mark && { mark }),
          ...(files && { files: [...files] }),
        };
      }),
      ...chosenPlaces(wish),
    },
  });
  const here = await host.capabilities.libvirtVersion();
  const refused = isOff ? [] : checkTransport(wish, Math.min(here, libvirtVersion));
  return { xml, findings: [...own, ...findings, ...refused], disks, sizes, images };
}

export const shownDisksOf = ({ disks, sizes }: MoveFacts) => shownDisks(disks, (target) => sizes.get(target));

type MigrationPlan = Output<"get_migration_plan">;

/** Tells whether a VM can move, without measuring for how long. @throws {ContractError} @throws {LibvirtError} */
export async function migrationFit(
  host: LibvirtHost,
  { linked, coverage }: MigrationWorld,
  wish: Placing,
  principal: Principal,
): Promise<Pick<MigrationPlan, "findings" | "disks">> {
  const movable = await requireMovable(host, wish.vmId), target = moveTarget(linked, host, wish, principal);
  const belongings = belongingsOf(host, coverage, movable.vm, principal);
  const found = await MigrationConversation.during(
    target,
    principal,
    (talk) => look(host, movable, wish, belongings, principal.role, talk),
  );
  return { findings: shownFindings(found.findings, target.label), disks: shownDisksOf(found) };
}

/** Tells whether a VM can move, and how long that takes. @throws {ContractError} @throws {LibvirtError} */
export async function migrationPlan(
  host: LibvirtHost,
  { linked, coverage }: MigrationWorld,
  wish: Placing,
  principal: Principal,
): Promise<MigrationPlan> {
  const movable = await requireMovable(host, wish.vmId), { vm, isOff } = movable;
  const target = moveTarget(linked, host, wish, principal);
  const belongings = belongingsOf(host, coverage, vm, principal);
  const [dirty, { found, line }] = await Promise.all([
    isOff ? undefined : measureDirtyRate(host, vm.id),
    MigrationConversation.during(target, principal, async (talk) => {
      const found = await look(host, movable, wish, belongings, principal.role, talk);
      return { found, line: isOff ? 0 : await measureLine(talk) };
    }),
  ]);
  const estimate = estimateOf({
    line,
    dirty,
    memory: vm.memoryMb * MIB,
    limit: wish.bandwidthMib && wish.bandwidthMib * MIB,
    disks: found.disks.reduce(
      (sum, { target, isShared }) => sum + (isShared ? 0 : found.sizes.get(target) ?? 0),
      0,
    ),
  });
  const { lineBytesPerSecond, dirtyBytesPerSecond = 0, converges } = estimate;
  const slow = isOff || converges ? [] : [
    warning("dirty", { dirty: formatRate(dirtyBytesPerSecond), line: formatRate(lineBytesPerSecond) }),
  ];
  return {
    possible: isPossible(found.findings),
    ...(isPossible(found.findings) && !isOff && { estimate }),
    findings: shownFindings([...found.findings, ...slow], target.label),
    disks: shownDisksOf(found),
    follows: belongings.portable.map(({ name }) => name),
    memoryMb: isOff ? 0 : vm.memoryMb,
  };
}
