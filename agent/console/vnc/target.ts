/** Where a VM's VNC server is. */
import { ContractError, type VM, type VncInfo } from "../../../lib/contract/mod.ts";
import { vncServer } from "../../../lib/formats/xml/domain.ts";
import type { Host } from "../../hosts/host.ts";

/** Where a server that listens everywhere can be reached by someone on this host. */
export const reachable = (listen: string | undefined) =>
  !listen || listen === "0.0.0.0" || listen === "::" ? "127.0.0.1" : listen;

/**
 * Place and password of a running VM's VNC server, as libvirt has them now.
 *
 * @throws {ContractError} VmNotRunning, VncNotConfigured
 */
export async function vncTarget({ link, inventory }: Host, vm: VM): Promise<VncInfo> {
  if (!inventory.active().includes(vm.id)) throw new ContractError("VmNotRunning");
  const server = vncServer(await link.call("domainXml", { uuid: vm.id, secure: true, inactive: false }));
  if (!server || (server.port === undefined && server.socket === undefined)) {
    throw new ContractError("VncNotConfigured");
  }
  return {
    host: reachable(server.listen),
    port: server.port ?? null,
    ...(server.socket !== undefined && { socket: server.socket }),
    ...(server.password !== undefined && { password: server.password }),
  };
}
