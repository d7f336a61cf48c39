/** Network filters: what libvirt's definition of one says, and how a card refers to one. Pure. */
import { xml, type XmlNode } from "./build.ts";
import type { XmlDocument } from "./edit.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** Content of one definition, without those it includes. */
export interface FilterSummary {
  readonly includes: readonly string[];
  /** Parameters its own rules use. */
  readonly parameters: readonly string[];
  readonly rules: number;
}

/** Variables that libvirt fills in itself: users never set them. */
const FILLED = new Set(["MAC", "IPMASK", "CTRL_IP_LEARNING"]);

const usedIn = ({ attributes, children: below }: XmlElement): string[] => [
  ...Object.values(attributes).flatMap((value) =>
    [...value.matchAll(/\$([A-Za-z0-9_]+)/g)].map(([, name]) => name!)
  ),
  ...below.flatMap(usedIn),
];

/** Reads a filter. @throws {XmlError} */
export function readFilter(source: string): FilterSummary {
  const root = parseXml(source);
  const rules = children(root, "rule");
  return {
    includes: children(root, "filterref").flatMap(({ attributes }) => attributes.filter ?? []),
    parameters: [...new Set(rules.flatMap(usedIn))].filter((name) => !FILLED.has(name)),
    rules: rules.length,
  };
}

/** A card's reference to a filter. @param addresses what the guest may use, of either family */
export function filterRefXml(filter: string, addresses: readonly string[] = []): XmlNode {
  return xml(
    "filterref",
    { filter },
    addresses.map((value) => xml("parameter", { name: value.includes(":") ? "IPV6" : "IP", value })),
  );
}

/** The addresses a card's reference to a filter names. */
export function filterAddresses(nic: XmlElement): string[] {
  return addressParameters(nic).flatMap(({ attributes: { value } }) => value ?? []);
}

const addressParameters = (nic: XmlElement) =>
  children(child(nic, "filterref"), "parameter").filter(({ attributes: { name } }) =>
    name === "IP" || name === "IPV6"
  );

/** Takes the addresses out of every card's reference to a filter: they are one VM's. @returns those there were */
export function dropFilterAddresses(document: XmlDocument): string[] {
  const nics = () => children(document.find("devices"), "interface");
  const dropped = nics().flatMap(filterAddresses);
  for (;;) {
    const parameter = nics().flatMap(addressParameters)[0];
    if (parameter === undefined) return dropped;
    document.remove(parameter);
  }
}
