/** Whether pages are reached by a name or by an address: passkeys belong to names (WebAuthn, 5.4.2: the RP id is a domain). */

/** Whether an address of the browser has a host name. */
export function hasHostName({ hostname }: Pick<URL, "hostname">): boolean {
  return !hostname.startsWith("[") && !/^\d+(\.\d+){3}$/.test(hostname);
}

/** The same server as the host itself may reach it: browsers take `localhost` for secure. */
export function localhostOf({ protocol, port }: Pick<URL, "protocol" | "port">): string {
  return `${protocol}//localhost${port === "" ? "" : `:${port}`}`;
}
