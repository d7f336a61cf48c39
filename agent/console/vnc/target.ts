/** Where a VM's VNC server is. */
import { ContractError, type VM, type VncInfo } from "../../../lib/contract/mod.ts";
import { vncServer } from "../../../lib/formats/xml/domain.ts";
import type { Host } from "../../hosts/host.ts";

/** What tells whether the screens of a host are reached from here. */
type ScreenHost = Pick<Host, "id" | "machine">;

/**
 * Where a screen's server can be reached by someone on this machine. Of another machine's host no address is given: the port
 * here, if there is one, is another VM's screen or another program.
 *
 * @param listen the address that the server listens on; one that means "everywhere", or none, is reached on loopback
 * @throws {ContractError} ScreenElsewhere
 */
export function addressHere({ id, machine }: ScreenHost, listen: string | undefined): string {
  if (machine === null) throw new ContractError("ScreenElsewhere", { host: id });
  return machine.addressOf(listen);
}

/**
 * Place and password of a running VM's VNC server, as libvirt has them now.
 *
 * @throws {ContractError} VmNotRunning, VncNotConfigured, ScreenElsewhere
 */
export async function vncTarget(host: Host, vm: VM): Promise<VncInfo> {
  const { link, inventory } = host;
  if (!inventory.active().includes(vm.id)) throw new ContractError("VmNotRunning");
  const server = vncServer(await link.call("domainXml", { uuid: vm.id, secure: true, inactive: false }));
  if (!server || (server.port === undefined && server.socket === undefined)) {
    throw new ContractError("VncNotConfigured");
  }
  return {
    host: addressHere(host, server.listen),
    port: server.port ?? null,
    ...(server.socket !== undefined && { socket: server.socket }),
    ...(server.password !== undefined && { password: server.password }),
  };
}
