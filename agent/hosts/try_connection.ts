/** Connects to a libvirt once. */
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { LibvirtLink, unavailableText } from "../libvirt/link.ts";
import { within } from "../within.ts";

/** Milliseconds that a connection has: SSH asks names and keys first. */
const CONNECT_MS = 30_000;

/** What a libvirt tells of itself. */
export interface TriedConnection {
  readonly hostname: string;
  /** `major * 1,000,000 + minor * 1,000 + release` */
  readonly libvirtVersion: number;
}

/** Connects to a libvirt as a host's link does, asks who it is, and disconnects. @throws {ContractError} HostUnreachable */
export async function tryConnection(uri: string, address = uri): Promise<TriedConnection> {
  const attempted = Promise.withResolvers<void>();
  const link = new LibvirtLink(
    uri,
    {
      status: ({ status }) => status === "disconnected" && attempted.resolve(),
      connected: () => attempted.resolve(),
      events: () => {},
    },
    {},
    address,
  );
  try {
    link.start();
    await within(CONNECT_MS, attempted.promise);
    const hostname = await link.call("hostName"), { libvirtVersion } = await link.call("nodeInfo");
    return { hostname, libvirtVersion };
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    throw new ContractError("HostUnreachable", { reason: unavailableText(error) }, { cause: error });
  } finally {
    await link.stop();
  }
}
