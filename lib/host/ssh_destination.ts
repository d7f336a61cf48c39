/** Destination of an SSH connection: that of a libvirt URI, or one that users enter. Pure. */
import { SSH_LOGIN } from "../contract/ssh_login.ts";
import { urlHost } from "../text/url_host.ts";

/**
 * Destination of SSH; parts that the URI leaves out are ssh's own choice (`~/.ssh/config`, 22, the user's own name).
 */
export interface SshDestination {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** A file with a private key. */
  readonly keyfile: string | undefined;
}

/** The destination of a URI that {@link checkLibvirtUri} has judged; undefined for a way without SSH. */
export function sshDestination(uri: string): SshDestination | undefined {
  const [, user, host, port] = /^qemu\+ssh:\/\/(?:([^@/]*)@)?(\[[^\]]*\]|[^:/?]*)(?::(\d+))?\//.exec(uri) ??
    [];
  if (host === undefined) return undefined;
  return {
    host: host.replace(/^\[|\]$/g, ""),
    port: port === undefined ? undefined : Number(port),
    user,
    keyfile: new URL(uri).searchParams.get("keyfile") ?? undefined,
  };
}

/** The arguments that name a destination to ssh. */
export const sshWords = ({ host, port, user, keyfile }: SshDestination): string[] => [
  ...keyfile === undefined ? [] : ["-i", keyfile],
  ...user === undefined ? [] : ["-l", user],
  ...port === undefined ? [] : ["-p", String(port)],
  "--",
  host,
];

/** The name of a host in known_hosts: with its port where that is another one than 22. */
export const knownHostName = ({ host, port = 22 }: Pick<SshDestination, "host" | "port">): string =>
  port === 22 ? host : `[${host}]:${port}`;

/** A destination as people write it: root's, where no user is named. */
export const sshLoginText = ({ user = "root", host, port }: SshDestination): string =>
  `${user}@${urlHost(host)}${port === undefined ? "" : `:${port}`}`;

/** Reads `user@host[:port]`. @returns undefined for other text */
export function readSshLogin(text: string): SshDestination & { readonly user: string } | undefined {
  if (!new RegExp(SSH_LOGIN).test(text)) return undefined;
  const [, user = "", host = "", port] = /^([^@]+)@(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined;
  return {
    user,
    host: host.replace(/^\[|\]$/g, ""),
    port: port === undefined ? undefined : Number(port),
    keyfile: undefined,
  };
}
