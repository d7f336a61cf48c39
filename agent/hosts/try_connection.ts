/** Connects to a libvirt once. */
import type { LibvirtAccount } from "../../ffi/address.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { LibvirtLink } from "../libvirt/link.ts";
import { notAnswering, unavailableText } from "../libvirt/unavailable.ts";
import { within } from "../within.ts";

/** Milliseconds that a connection has: SSH asks names and keys first. */
const CONNECT_MS = 30_000;

/** Versions and names that a libvirt reports. */
export interface TriedConnection {
  readonly hostname: string;
  /** `major * 1,000,000 + minor * 1,000 + release` */
  readonly libvirtVersion: number;
}

/** Connects to a libvirt as a host's link does, asks who it is, and disconnects. @throws {ContractError} HostUnreachable */
export async function tryConnection(uri: string, account: LibvirtAccount): Promise<TriedConnection> {
  const attempted = Promise.withResolvers<void>();
  const link = new LibvirtLink(
    uri,
    {
      status: ({ status }) => status === "disconnected" && attempted.resolve(),
      connected: () => attempted.resolve(),
      events: () => {},
    },
    {},
    account,
  );
  try {
    link.start();
    await within(CONNECT_MS, attempted.promise);
    const { connected, error } = link.status;
    if (!connected) throw new ContractError("HostUnreachable", { reason: error ?? notAnswering(uri) });
    const hostname = await link.call("hostName"), { libvirtVersion } = await link.call("nodeInfo");
    return { hostname, libvirtVersion };
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    throw new ContractError("HostUnreachable", { reason: unavailableText(error, uri) }, { cause: error });
  } finally {
    await link.stop();
  }
}
