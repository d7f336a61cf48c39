/** IP addresses as people write them, and their gateways. */
import { contains, parseAddress, parseSubnet, type Subnet } from "../../formats/ip/cidr.ts";

const OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);

/** Whether it is an IPv4 address in four decimal numbers. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** Whether it is an IPv6 address, without a zone (RFC 4291, 2.2). */
export function isIpv6(text: string): boolean {
  return /^[0-9A-Fa-f:.]+$/.test(text) && text.includes(":") && URL.canParse(`http://[${text}]/`);
}

/** Family of an address with its prefix length (192.0.2.1/24); undefined when it is none. */
export function familyOfPrefix(text: string): 4 | 6 | undefined {
  const [address = "", prefix = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  if (isIpv4(address)) return Number(prefix) <= 32 ? 4 : undefined;
  return isIpv6(address) && Number(prefix) <= 128 ? 6 : undefined;
}

/** Addresses with their prefixes, of those that are any. */
const subnetsOf = (addresses: readonly string[]): Subnet[] =>
  addresses.flatMap((address) => parseSubnet(address) ?? []);

/**
 * Whether a gateway lies outside all subnets of a card: the guest must be told that it is on the link all the same, as
 * hosting providers have it that give away single addresses (/32, /128). A link-local one always is.
 */
export function isOutside(gateway: string, addresses: readonly string[]): boolean {
  const at = parseAddress(gateway);
  if (at === undefined || (at.family === 6 && at.value >> 118n === 0x3fan)) return false;
  return !subnetsOf(addresses).some((subnet) => subnet.family === at.family && contains(subnet, at));
}

/** Whether a card has one of these addresses itself. */
export function isOwnAddress(gateway: string, addresses: readonly string[]): boolean {
  const at = parseAddress(gateway);
  return at !== undefined &&
    subnetsOf(addresses).some(({ family, value }) => family === at.family && value === at.value);
}

/** Whether an IPv4 gateway outside all subnets is meant so: a card with a whole subnet has its gateway in that. */
export const hasWholeSubnet = (addresses: readonly string[]): boolean =>
  subnetsOf(addresses).some(({ family, prefix }) => family === 4 && prefix < 31);
