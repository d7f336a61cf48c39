/** The settings that open a VM's screen in remote-viewer. */
import { ContractError, type ViewerFile } from "../../lib/contract/mod.ts";
import { oneLine, safeFileName } from "../../lib/text/text.ts";
import { VIEWER_FILE_TYPE, viewerFile } from "../../lib/console/viewer_file.ts";
import { screenServers } from "../../lib/formats/xml/domain.ts";
import { includes, type Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { addressHere } from "./vnc/target.ts";

/** Screens remote-viewer shows, the better one first. */
const SHOWN = ["spice", "vnc"];

/** @throws {ContractError} VmNotFound, VmNotRunning, NoViewer, ScreenElsewhere */
export async function giveViewerFile(
  host: LibvirtHost,
  vmId: string,
  principal: Principal,
): Promise<ViewerFile> {
  const vm = host.requireVm(vmId);
  if (!host.inventory.active().includes(vm.id)) throw new ContractError("VmNotRunning");
  const xml = await host.link.call("domainXml", { uuid: vm.id, secure: true, inactive: false });
  const screens = screenServers(xml)
    .filter(({ type }) => SHOWN.includes(type))
    .sort((a, b) => SHOWN.indexOf(a.type) - SHOWN.indexOf(b.type));
  const screen = screens.find(({ port, tlsPort }) => port !== undefined || tlsPort !== undefined);
  if (screen === undefined) {
    const reason = screens.length === 0
      ? "it has neither VNC nor SPICE"
      : "it listens on a UNIX socket only. Use the console in the browser";
    throw new ContractError("NoViewer", { reason });
  }
  const title = oneLine(vm.name);
  const password = includes(principal.role, "operator") ? screen.password : undefined;
  return {
    fileName: `${safeFileName(title, 64)}.vv`,
    contentType: VIEWER_FILE_TYPE,
    content: viewerFile(title, addressHere(host, screen.listen), { ...screen, password }),
  };
}
