/** Calls that give a domain's screens passwords. A password that is made here never leaves the thread, but to libvirt. */
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import {
  hasGeneratedPasswords,
  hasOpenScreen,
  renewedScreens,
  renewPasswords,
} from "../../lib/formats/xml/screen_passwords.ts";
import { parseXml } from "../../lib/formats/xml/tree.ts";
import type { Connection } from "../connection.ts";
import { libvirt, ok, takeString } from "../library.ts";
import { cString } from "../memory.ts";

/** `virDomainXMLFlags`: with passwords; the configuration of the next start. */
const XML = { SECURE: 1, INACTIVE: 2 } as const;
/** `VIR_DOMAIN_SAVE_IMAGE_XML_SECURE` */
const SAVED_SECURE = 1;
/** `virDomainModificationImpact` */
const AFFECT = { LIVE: 1, CONFIG: 2 } as const;

type Of = { uuid: string };

const xmlOf = (pointer: Deno.PointerObject, flags: number) =>
  takeString(libvirt().symbols.virDomainGetXMLDesc(pointer, flags));

function updateScreens(pointer: Deno.PointerObject, screens: readonly string[], affect: number): void {
  const { symbols } = libvirt();
  for (const xml of screens) ok(symbols.virDomainUpdateDeviceFlags(pointer, cString(xml), affect));
}

/**
 * Gives the screens of a domain, whose passwords are made here, other passwords for the next start, unless that was
 * done before. One that was continued from saved memory has its old password, and gets another at once.
 * Source: virDomainUpdateDeviceFlags.
 *
 * @returns how many screens got one
 */
export function domainRenewPasswords(
  connection: Connection,
  { uuid, restored }: Of & { restored: boolean },
): number {
  using domain = connection.domain(uuid);
  const { symbols } = libvirt();
  if (ok(symbols.virDomainIsPersistent(domain.pointer)) !== 1) return 0;
  const next = xmlOf(domain.pointer, XML.SECURE | XML.INACTIVE);
  if (!hasGeneratedPasswords(parseXml(next))) return 0;
  const isOn = ok(symbols.virDomainIsActive(domain.pointer)) === 1;
  const live = isOn ? xmlOf(domain.pointer, XML.SECURE) : null;
  const later = renewedScreens(live, next);
  updateScreens(domain.pointer, later, AFFECT.CONFIG);
  // QEMU takes a password only for a screen that was started with one.
  const now = restored && live !== null
    ? renewPasswords(new XmlDocument(live), ({ attributes }) => attributes.passwd !== undefined)
    : [];
  updateScreens(domain.pointer, now, AFFECT.LIVE);
  return later.length + now.length;
}

/**
 * Gives the screens of a stored domain, and of its saved memory, passwords. A running QEMU cannot take one for a screen
 * that it was started with open. Source: virDomainUpdateDeviceFlags, virDomainManagedSaveDefineXML.
 *
 * @returns whether no screen of the domain is open now
 */
export function domainProtectScreens(connection: Connection, { uuid }: Of): boolean {
  using domain = connection.domain(uuid);
  const { symbols } = libvirt();
  const next = new XmlDocument(xmlOf(domain.pointer, XML.SECURE | XML.INACTIVE));
  updateScreens(domain.pointer, renewPasswords(next), AFFECT.CONFIG);
  if (ok(symbols.virDomainHasManagedSaveImage(domain.pointer, 0)) === 1) {
    const saved = new XmlDocument(
      takeString(symbols.virDomainManagedSaveGetXMLDesc(domain.pointer, SAVED_SECURE)),
    );
    renewPasswords(saved);
    ok(symbols.virDomainManagedSaveDefineXML(domain.pointer, cString(saved.toString()), 0));
  }
  return !hasOpenScreen(parseXml(xmlOf(domain.pointer, XML.SECURE)));
}
