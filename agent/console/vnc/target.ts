/** Address of a VM's VNC server. */
import { ContractError, type VM, type VncInfo } from "../../../lib/contract/mod.ts";
import { vncServer } from "../../../lib/formats/xml/domain.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { addressOnMachine } from "../../machine/machine.ts";

/** The parts of a host that decide whether its screens can be reached from here. */
type ScreenHost = Pick<LibvirtHost, "id" | "machine">;

/**
 * Address at which a screen's server can be reached from this machine. For another machine's host there is
 * none: the port here, if it is in use, is another VM's screen or another program.
 *
 * @param listen the address that the server listens on; one that means "everywhere", or none, is reached on
 *   loopback
 * @throws {ContractError} ScreenElsewhere
 */
export function addressHere({ id, machine }: ScreenHost, listen: string | undefined): string {
  if (machine === null) throw new ContractError("ScreenElsewhere", { host: id });
  return machine.addressOf(listen);
}

/**
 * Place and password of a running VM's VNC server, as libvirt has them now, for whoever dials it from this machine.
 *
 * @throws {ContractError} VmNotRunning, VncNotConfigured, ScreenElsewhere
 */
export async function vncTarget(host: LibvirtHost, vm: VM): Promise<VncInfo> {
  const server = await screenServer(host, vm);
  return { ...server, host: addressHere(host, server.host) };
}

/**
 * The same as its host has it: an address there.
 *
 * @throws {ContractError} VmNotRunning, VncNotConfigured
 */
async function screenServer({ link, inventory }: LibvirtHost, vm: VM): Promise<VncInfo> {
  if (!inventory.active().includes(vm.id)) throw new ContractError("VmNotRunning");
  const server = vncServer(await link.call("domainXml", { uuid: vm.id, secure: true, inactive: false }));
  if (!server || (server.port === undefined && server.socket === undefined)) {
    throw new ContractError("VncNotConfigured");
  }
  return {
    host: server.listen ?? "",
    port: server.port ?? null,
    ...(server.socket !== undefined && { socket: server.socket }),
    ...(server.password !== undefined && { password: server.password }),
  };
}

/** A VNC server that can be dialled, until disposed of. */
export interface ReachedScreen extends Disposable {
  readonly target: VncInfo;
}

/**
 * Makes a screen's server reachable: of a host that is reached by SSH, through a socket here.
 *
 * @throws {ContractError} VmNotRunning, VncNotConfigured, ScreenElsewhere
 * @throws {Error} with what ssh said
 */
export async function reachScreen(host: LibvirtHost, vm: VM): Promise<ReachedScreen> {
  const { ssh, link: { simulation } } = host;
  if (simulation !== undefined) {
    const target = { ...await screenServer(host, vm), port: null, socket: simulation.screenSocket(vm.id) };
    return { target, [Symbol.dispose]: () => {} };
  }
  if (host.machine !== null || ssh === undefined) {
    return { target: await vncTarget(host, vm), [Symbol.dispose]: () => {} };
  }
  const server = await screenServer(host, vm), { port, socket } = server;
  const forward = await ssh.forward(
    port === null ? { socket: socket! } : { host: addressOnMachine(server.host), port },
  );
  return {
    target: { ...server, port: null, socket: forward.path },
    [Symbol.dispose]: () => forward[Symbol.dispose](),
  };
}

/** Whether a screen can be reached, without reaching it. @throws as {@link reachScreen} */
export async function requireScreen(host: LibvirtHost, vm: VM): Promise<void> {
  const isElsewhere = host.machine === null && host.ssh === undefined && host.link.simulation === undefined;
  await (isElsewhere ? vncTarget(host, vm) : screenServer(host, vm));
}
