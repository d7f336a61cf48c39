/** Calls that make, rename and take stock of whole domains. */
import { type Connection, Handle, listOf, readList } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, notNull, ok, takeString } from "../library.ts";
import { cString, readUuid } from "../memory.ts";

/** `VIR_DOMAIN_DEFINE_VALIDATE`: against libvirt's schemas first. */
const DEFINE_VALIDATE = 1;

function define(connection: Connection, xml: string, flags: number): Handle {
  const { symbols } = libvirt();
  return new Handle(
    notNull(symbols.virDomainDefineXMLFlags(connection.pointer, cString(xml), flags)),
    (pointer) => symbols.virDomainFree(pointer),
  );
}

/**
 * Makes or replaces a stored domain, checked against libvirt's schemas first; gives its UUID.
 *
 * @param unchecked without that check, for what was checked before
 * @throws {LibvirtError} code XML_INVALID_SCHEMA with the schema's message
 */
export function domainDefineXml(
  connection: Connection,
  { xml, unchecked = false }: { xml: string; unchecked?: boolean },
): string {
  using domain = define(connection, xml, unchecked ? 0 : DEFINE_VALIDATE);
  return readUuid((buffer) => libvirt().symbols.virDomainGetUUIDString(domain.pointer, buffer));
}

/**
 * Starts a stored domain that is off with another XML for this run; its stored definition stays, and counts again once
 * it is off. Saved memory is not looked at. Source: virDomainCreateXML, which takes a stored domain's name and UUID.
 *
 * libvirt 9.0 keeps this XML as the domain's own where it refuses it before QEMU is begun, and loses later definitions
 * then. So the same checks are made by a call that touches no domain first.
 */
export function domainStartOnce(connection: Connection, { xml }: { xml: string }): null {
  const { symbols } = libvirt();
  takeString(symbols.virConnectDomainXMLToNative(connection.pointer, cString("qemu-argv"), cString(xml), 0));
  return create(connection, xml, 0);
}

function create(connection: Connection, xml: string, flags: number): null {
  const { symbols } = libvirt();
  symbols.virDomainFree(notNull(symbols.virDomainCreateXML(connection.pointer, cString(xml), flags)));
  return null;
}

/** `VIR_DOMAIN_START_VALIDATE`: against libvirt's schemas first. `VIR_DOMAIN_START_AUTODESTROY`: see below. */
const START_VALIDATE = 16, START_AUTODESTROY = 2;

/**
 * Starts a domain that is not kept: it is gone once it stops.
 *
 * @param untilClosed libvirt ends it when the connection that has started it is closed, also by a kill of this process
 * @throws {LibvirtError} Source: virDomainCreateXML
 */
export function domainStartTransient(
  connection: Connection,
  { xml, untilClosed = false }: { xml: string; untilClosed?: boolean },
): null {
  return create(connection, xml, START_VALIDATE | (untilClosed ? START_AUTODESTROY : 0));
}

/**
 * Lets libvirt parse and validate an XML that it must refuse in the end, because its name is none: see
 * `lib/formats/xml/trial.ts`. Gives what libvirt said. Were it accepted all the same, it would be undefined at once.
 */
export function domainValidateXml(connection: Connection, { xml }: { xml: string }): string | null {
  const { symbols, lastError } = libvirt();
  const pointer = symbols.virDomainDefineXMLFlags(connection.pointer, cString(xml), 0);
  if (pointer === null) {
    const error = lastError();
    if (!connection.alive) throw error;
    return error.message;
  }
  using domain = new Handle(pointer, (each) => symbols.virDomainFree(each));
  ok(symbols.virDomainUndefineFlags(domain.pointer, 0));
  return null;
}

/** Renames a domain that is off. Source: virDomainRename. */
export function domainRename(connection: Connection, { uuid, name }: { uuid: string; name: string }): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainRename(domain.pointer, cString(name), 0));
  return null;
}

/** Parts that libvirt keeps for a domain in addition to its definition. */
export interface DomainKeeps {
  readonly snapshots: number;
  readonly checkpoints: number;
  readonly managedSave: boolean;
}

/** A number of things, or none where the driver does not have them at all. */
function counted(count: () => number): number {
  try {
    return ok(count());
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_SUPPORT) return 0;
    throw error;
  }
}

function checkpoints(domain: Handle): number {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virDomainListAllCheckpoints(domain.pointer, out, 0));
  return readList(array, items, (item) => symbols.virDomainCheckpointFree(item), () => true).length;
}

/** Counts what libvirt keeps for a domain. */
export function domainKeeps(connection: Connection, { uuid }: { uuid: string }): DomainKeeps {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  return {
    snapshots: counted(() => symbols.virDomainSnapshotNum(domain.pointer, 0)),
    checkpoints: counted(() => checkpoints(domain)),
    managedSave: counted(() => symbols.virDomainHasManagedSaveImage(domain.pointer, 0)) === 1,
  };
}
