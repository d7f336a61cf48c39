/** Calls on the snapshots of a domain. */
import { type Connection, Handle, listOf, readList } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, notNull, ok, takeString } from "../library.ts";
import { cString } from "../memory.ts";
import { messageOf } from "../../lib/text/message.ts";
import { thaw, withAgentLimit } from "./freeze.ts";

/** `VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL`: parents before their children. */
const LIST_TOPOLOGICAL = 1 << 10;
/** `VIR_DOMAIN_SNAPSHOT_XML_SECURE`: with the passwords of screens. */
const XML_SECURE = 1;
/** `VIR_DOMAIN_SNAPSHOT_REVERT_FORCE`: also where QEMU must be started again for it. */
const REVERT_FORCE = 1 << 2;
/** `virDomainSnapshotDeleteFlags` */
const DELETE = { CHILDREN: 1, METADATA_ONLY: 2 } as const;
/** `virDomainSnapshotCreateFlags` */
const CREATE = {
  REDEFINE: 1,
  CURRENT: 2,
  DISK_ONLY: 16,
  REUSE_EXT: 32,
  QUIESCE: 64,
  ATOMIC: 128,
} as const;

/** How a snapshot in files of its own was taken. */
export interface SnapshotResult {
  /** The guest had written all to its disks, and stood still for that moment. */
  readonly quiesced: boolean;
  /** Why it did not, where it was asked. */
  readonly notQuiesced?: string;
  /** The guest may still stand still: its agent did not thaw it. */
  readonly notThawed?: string;
}

/** A snapshot as libvirt describes it. */
export interface SnapshotRecord {
  readonly xml: string;
  /** The domain's present state is based on it. */
  readonly isCurrent: boolean;
}

const free = (pointer: Deno.PointerValue) => libvirt().symbols.virDomainSnapshotFree(pointer);

function snapshotOf(domain: Handle, name: string): Handle {
  const { symbols } = libvirt();
  return new Handle(notNull(symbols.virDomainSnapshotLookupByName(domain.pointer, cString(name), 0)), free);
}

/** How often the list of snapshots is asked for while it cannot be given, and milliseconds in between. */
const LIST_TRIES = 100, LIST_PAUSE_MS = 30;
/** How often where what was known before can stand in for it: QEMU may have stopped for good in the middle of a snapshot. */
const KNOWN_TRIES = 1;

/**
 * The list of snapshots. While one is made or deleted, libvirt 9.0 may find one without a name in its own list, and
 * refuses all of it ("name in virGetDomainSnapshot must not be NULL").
 *
 * @returns undefined while it is refused, after so many tries
 */
function listSnapshots(domain: Handle, most: number) {
  for (let tries = 1;; tries++) {
    try {
      return listOf((out) =>
        libvirt().symbols.virDomainListAllSnapshots(domain.pointer, out, LIST_TOPOLOGICAL)
      );
    } catch (error) {
      const isChanging = error instanceof LibvirtError && error.code === VIR_ERR.INVALID_ARG;
      if (!isChanging || tries === LIST_TRIES) throw error;
      if (tries === most) return undefined;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LIST_PAUSE_MS); // the thread of a worker
    }
  }
}

/** A snapshot as libvirt reports it; null if it was deleted in between. */
function recordOf(item: Deno.PointerValue): SnapshotRecord | null {
  const { symbols } = libvirt();
  return unlessGone(() => ({
    xml: takeString(symbols.virDomainSnapshotGetXMLDesc(item, 0)),
    isCurrent: ok(symbols.virDomainSnapshotIsCurrent(item, 0)) === 1,
  }));
}

/** Result of `work`; null if the snapshot does not exist. */
function unlessGone<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN_SNAPSHOT) return null;
    throw error;
  }
}

/**
 * All snapshots of a domain, parents before their children. Sources: virDomainListAllSnapshots, virDomainSnapshotNum.
 *
 * @param known names of those that it had, where one that is being made just now need not be waited for: they are read one
 * by one while libvirt refuses the list, and are all but that one where it counts no more
 * @throws {LibvirtError} code INVALID_ARG while one is made, and others than those are there
 */
export function snapshotScan(
  connection: Connection,
  { uuid, known }: { uuid: string; known?: readonly string[] },
): SnapshotRecord[] {
  using domain = connection.domain(uuid);
  const listed = listSnapshots(domain, known === undefined ? LIST_TRIES : KNOWN_TRIES);
  if (listed !== undefined) return readList(listed.array, listed.items, free, recordOf);
  const found = (known ?? []).flatMap((name) => {
    const record = unlessGone(() => {
      using snapshot = snapshotOf(domain, name);
      return recordOf(snapshot.pointer);
    });
    return record === null ? [] : [record];
  });
  if (ok(libvirt().symbols.virDomainSnapshotNum(domain.pointer, 0)) <= found.length + 1) return found;
  const { array, items } = listSnapshots(domain, LIST_TRIES + 1)!;
  return readList(array, items, free, recordOf);
}

/** The XML of one snapshot, with secrets. @throws {LibvirtError} code NO_DOMAIN_SNAPSHOT */
export function snapshotXml(connection: Connection, { uuid, name }: { uuid: string; name: string }): string {
  using domain = connection.domain(uuid);
  using snapshot = snapshotOf(domain, name);
  return takeString(libvirt().symbols.virDomainSnapshotGetXMLDesc(snapshot.pointer, XML_SECURE));
}

/** Takes a snapshot. A domain that runs stands still meanwhile. Source: virDomainSnapshotCreateXML. */
export function snapshotCreate(connection: Connection, { uuid, xml }: { uuid: string; xml: string }): null {
  using domain = connection.domain(uuid);
  using _snapshot = new Handle(
    notNull(libvirt().symbols.virDomainSnapshotCreateXML(domain.pointer, cString(xml), 0)),
    free,
  );
  return null;
}

/** Records a snapshot whose content is there already. Source: virDomainSnapshotCreateXML. */
export function snapshotRecord(
  connection: Connection,
  { uuid, xml, isCurrent }: { uuid: string; xml: string; isCurrent: boolean },
): null {
  using domain = connection.domain(uuid);
  const flags = CREATE.REDEFINE | (isCurrent ? CREATE.CURRENT : 0);
  using _snapshot = new Handle(
    notNull(libvirt().symbols.virDomainSnapshotCreateXML(domain.pointer, cString(xml), flags)),
    free,
  );
  return null;
}

/**
 * Takes a snapshot of the disks alone: what is written from now on goes into the images that the XML names, which are
 * there already. libvirt has the guest agent freeze the file systems for that moment and thaw them, also when this
 * process ends. Source: virDomainSnapshotCreateXML.
 *
 * @param quiesce `try` takes it all the same where the agent cannot freeze the guest
 */
export function snapshotOfDisks(
  connection: Connection,
  { uuid, xml, quiesce }: { uuid: string; xml: string; quiesce: "no" | "try" | "must" },
): SnapshotResult {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  const take = (more: number) => {
    const flags = CREATE.DISK_ONLY | CREATE.ATOMIC | CREATE.REUSE_EXT | more;
    using _snapshot = new Handle(
      notNull(symbols.virDomainSnapshotCreateXML(domain.pointer, cString(xml), flags)),
      free,
    );
  };
  if (quiesce === "no") {
    take(0);
    return { quiesced: false };
  }
  return withAgentLimit(domain, () => {
    try {
      take(CREATE.QUIESCE);
      return { quiesced: true };
    } catch (error) {
      // An agent that answered late may have frozen the guest after all.
      const notThawed = thaw(domain);
      if (quiesce === "must") throw error;
      take(0);
      const told = { quiesced: false, notQuiesced: messageOf(error) };
      return notThawed === undefined ? told : { ...told, notThawed };
    }
  });
}

/** Writes down what is known of a snapshot again. @param current makes it the one that the domain came from */
export function snapshotRedefine(
  connection: Connection,
  { uuid, xml, current }: { uuid: string; xml: string; current: boolean },
): null {
  using domain = connection.domain(uuid);
  const flags = CREATE.REDEFINE | (current ? CREATE.CURRENT : 0);
  using _snapshot = new Handle(
    notNull(libvirt().symbols.virDomainSnapshotCreateXML(domain.pointer, cString(xml), flags)),
    free,
  );
  return null;
}

/** Forgets a snapshot: nothing of it is touched, those that came from it become its parent's. */
export function snapshotForget(
  connection: Connection,
  { uuid, name }: { uuid: string; name: string },
): null {
  using domain = connection.domain(uuid);
  using snapshot = snapshotOf(domain, name);
  ok(libvirt().symbols.virDomainSnapshotDelete(snapshot.pointer, DELETE.METADATA_ONLY));
  return null;
}

/**
 * Brings a domain back to a snapshot. Where the QEMU that runs cannot take it, another is started: what it had is lost
 * by the revert either way. Source: virDomainRevertToSnapshot.
 *
 * @throws {LibvirtError} code NO_DOMAIN_SNAPSHOT
 */
export function snapshotRevert(connection: Connection, { uuid, name }: { uuid: string; name: string }): null {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  using snapshot = snapshotOf(domain, name);
  try {
    ok(symbols.virDomainRevertToSnapshot(snapshot.pointer, 0));
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.SNAPSHOT_REVERT_RISKY) throw error;
    ok(symbols.virDomainRevertToSnapshot(snapshot.pointer, REVERT_FORCE));
  }
  return null;
}

/** Deletes a snapshot, with those that came from it where wished; else they become its parent's. */
export function snapshotDelete(
  connection: Connection,
  { uuid, name, children }: { uuid: string; name: string; children: boolean },
): null {
  using domain = connection.domain(uuid);
  using snapshot = snapshotOf(domain, name);
  ok(libvirt().symbols.virDomainSnapshotDelete(snapshot.pointer, children ? DELETE.CHILDREN : 0));
  return null;
}
