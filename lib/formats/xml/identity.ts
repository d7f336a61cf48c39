/** A domain's marks of its own: its name, its id, its MAC addresses, and what libvirt keeps under its name. */
import { xml } from "./build.ts";
import { METADATA_PREFIX, METADATA_URI } from "./metadata.ts";
import type { XmlDocument } from "./edit.ts";
import { child, children, type XmlElement } from "./tree.ts";

/** Names, UUID and MAC addresses that a domain is known by. MAC addresses in lower case. */
export interface Identity {
  readonly name: string;
  readonly uuid: string | undefined;
  readonly macs: readonly string[];
}

/** Reads a domain's marks. */
export function identityOf(document: XmlDocument): Identity {
  return {
    name: child(document.root, "name")?.text ?? "",
    uuid: child(document.root, "uuid")?.text.trim().toLowerCase(),
    macs: macsOf(document.root),
  };
}

/** MAC addresses of a definition's network cards, in lower case. */
export function macsOf(domain: XmlElement): string[] {
  const macs = children(child(domain, "devices"), "interface").map((nic) =>
    child(nic, "mac")?.attributes.address
  );
  return macs.filter((mac) => mac !== undefined).map((mac) => mac.toLowerCase());
}

/** Gives a domain another name. */
export function setName(document: XmlDocument, name: string): void {
  const element = child(document.root, "name");
  if (element) document.setText(element, name);
  else document.append(document.root, xml("name", {}, name));
}

/** Gives a domain another id, also where it is told to the guest (SMBIOS), which libvirt wants to be the same. */
export function setUuid(document: XmlDocument, uuid: string): void {
  const element = child(document.root, "uuid");
  if (element) document.setText(element, uuid);
  else document.append(document.root, xml("uuid", {}, uuid));
  const system = document.find("sysinfo", "system");
  const entry = children(system, "entry").find(({ attributes }) => attributes.name === "uuid");
  if (entry) document.setText(entry, uuid);
}

/** Notes when a domain was created, in milliseconds since 1970: a copy is younger than what it was made of. */
export function setCreatedAt(document: XmlDocument, createdAt: number): void {
  const own = document.find("metadata")?.children.find(({ name }) => name === `${METADATA_PREFIX}:vm`);
  if (own) return document.setAttribute(own, "created", String(createdAt));
  if (!document.find("metadata")) document.append(document.root, xml("metadata", {}));
  const namespace = { [`xmlns:${METADATA_PREFIX}`]: METADATA_URI };
  const made = xml(`${METADATA_PREFIX}:vm`, { ...namespace, created: String(createdAt) });
  document.append(document.find("metadata")!, made);
}

/** Takes every interface's MAC address away: libvirt gives each a new one. */
export function dropMacs(document: XmlDocument): void {
  for (;;) {
    const nics = children(document.find("devices"), "interface");
    const mac = nics.map((nic) => child(nic, "mac")).find((each) => each !== undefined);
    if (mac === undefined) return;
    document.remove(mac);
  }
}

/** The file that keeps a UEFI VM's variables, where it has one. */
export function nvramOf(document: XmlDocument): string | undefined {
  const nvram = document.find("os", "nvram");
  return nvram?.text.trim() || child(nvram, "source")?.attributes.file || undefined;
}
