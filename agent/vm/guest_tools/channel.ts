/** Giving a VM the channel of our agent: a running one at once, where it takes it, else at its next start. */
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { renderXml } from "../../../lib/formats/xml/build.ts";
import { channelDevice, channelIn, OWN_AGENT_CHANNEL } from "../../../lib/formats/xml/channel.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { attachElement } from "../devices/attach_disk.ts";
import { configurationsOf, deviceError, hasController } from "../devices/configurations.ts";

/** When a VM has the channel: before, since now, or from its next start on. */
export type ChannelAdded = "present" | "now" | "next start";

const NO_CONTROLLER =
  "it has no virtio-serial controller, which cannot be added while it runs, and no configuration for its next start";

const lacks = (document: XmlDocument | undefined) =>
  document !== undefined && channelIn(document.find("devices"), OWN_AGENT_CHANNEL) === "not configured";

/**
 * Adds it to each configuration that lacks it. A running VM takes it where it has the controller that channels are at: no
 * libvirt plugs that in later. Into its configuration libvirt adds the controller by itself.
 *
 * @throws {ContractError} AttachFailed, and what any libvirt call may give
 */
export async function addChannel(host: LibvirtHost, vm: VM): Promise<ChannelAdded> {
  const { live, next } = await configurationsOf(host, vm);
  const lacking = { live: lacks(live), config: lacks(next) };
  if (!lacking.live && !lacking.config) return "present";
  const places = { ...lacking, live: lacking.live && hasController(live, "virtio-serial") };
  try {
    if (!places.live && !places.config) {
      // Its next start has the channel already, or it has no configuration for one
      if (next !== undefined) return "next start";
      throw new ContractError("AttachFailed", { device: "channel", error: NO_CONTROLLER });
    }
    const device = renderXml(channelDevice(OWN_AGENT_CHANNEL));
    const done = await attachElement(host, vm, device, places, {}, "channel");
    return live !== undefined && done.live === lacking.live ? "now" : "next start";
  } catch (error) {
    throw deviceError(error, "AttachFailed", "insert_guest_tools", { device: "channel" });
  }
}
