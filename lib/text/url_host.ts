/** A host as URLs have it: an IPv6 address in brackets. Source: RFC 3986, 3.2.2. */
export const urlHost = (host: string): string => host.includes(":") ? `[${host}]` : host;
