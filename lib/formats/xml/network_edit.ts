/** Changing a network's definition: what is not named stays as it is, byte for byte. Pure. */
import { type NetworkSettings, PLAIN_SETTINGS, type PlainSetting } from "../../contract/networks.ts";
import { xml, type XmlNode } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { bandwidthXml } from "./network.ts";
import { plainElement, plainSettingXml } from "./network_plain.ts";
import { child, children } from "./tree.ts";

/** Settings of one value each. */
type PlainChange = { readonly [S in PlainSetting]?: NetworkSettings[S] | null };

/** New values; null: none. DNS entries are changed by `virNetworkUpdate`, which a running network takes at once. */
export interface NetworkChange extends PlainChange {
  /** With whether its names are never asked outside. */
  readonly domain?: { readonly name: string; readonly local: boolean } | null | undefined;
  readonly forwarders?: readonly string[] | undefined;
  readonly bandwidth?: NetworkSettings["bandwidth"] | null;
}

/** A network's definition with the change made. @throws {XmlError} */
export function changedNetwork(source: string, change: NetworkChange): string {
  const document = new XmlDocument(source);
  const put = (name: string, node: XmlNode | undefined) => document.setChild(() => document.root, name, node);
  const { domain, forwarders, bandwidth } = change;
  if (domain !== undefined) {
    put(
      "domain",
      domain === null ? undefined : xml("domain", {
        name: domain.name,
        localOnly: domain.local ? true : undefined,
      }),
    );
  }
  for (const setting of PLAIN_SETTINGS) {
    const value = change[setting];
    if (value !== undefined) put(plainElement(setting), plainSettingXml(setting, value));
  }
  if (bandwidth !== undefined) put("bandwidth", bandwidth === null ? undefined : bandwidthXml(bandwidth));
  if (forwarders !== undefined) changeForwarders(document, forwarders);
  return document.toString();
}

/** Forwarders for one domain alone stay: they are not among those that were shown. */
function changeForwarders(document: XmlDocument, addresses: readonly string[]): void {
  const old = () =>
    children(child(document.root, "dns"), "forwarder").find(({ attributes: { addr, domain } }) =>
      addr !== undefined && domain === undefined
    );
  for (let found = old(); found; found = old()) document.remove(found);
  if (addresses.length === 0) return;
  const nodes = addresses.map((addr) => xml("forwarder", { addr }));
  if (child(document.root, "dns") === undefined) return document.append(document.root, xml("dns", {}, nodes));
  for (const node of nodes) document.append(child(document.root, "dns")!, node);
}
