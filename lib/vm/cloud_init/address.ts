/** IP addresses as people write them. */

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
