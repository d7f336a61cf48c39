/** Giving a VM the channel of our agent: a running one at once, where it takes it, else at its next start. */
import type { VM } from "../../../lib/contract/mod.ts";
import { renderXml } from "../../../lib/formats/xml/build.ts";
import {
  channelDevice,
  channelIn,
  OWN_AGENT_CHANNEL,
  serialController,
} from "../../../lib/formats/xml/channel.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import type { Host } from "../../hosts/host.ts";
import { Rollback } from "../../rollback.ts";
import { attachElement } from "../devices/attach_disk.ts";
import { configurationsOf, deviceError, hasController } from "../devices/configurations.ts";

/** Where a VM has the channel: there already, since now, or from its next start on. */
export type ChannelAdded = "present" | "now" | "next start";

const lacks = (document: XmlDocument | undefined) =>
  document !== undefined && channelIn(document.find("devices"), OWN_AGENT_CHANNEL) === "not configured";

/** Adds it to each configuration that lacks it. @throws {ContractError} AttachFailed, and what any libvirt call may give */
export async function addChannel(host: Host, vm: VM): Promise<ChannelAdded> {
  const { live, next } = await configurationsOf(host, vm);
  const places = { live: lacks(live), config: lacks(next) };
  if (!places.live && !places.config) return "present";
  const rollback = new Rollback();
  try {
    const bare = {
      live: places.live && !hasController(live, "virtio-serial"),
      config: places.config && !hasController(next, "virtio-serial"),
    };
    if (bare.live || bare.config) {
      const change = { uuid: vm.id, xml: renderXml(serialController()), ...bare };
      await host.link.call("domainAttachDevice", change);
      rollback.add("the virtio-serial controller", () => host.link.call("domainDetachDevice", change));
    }
    const device = renderXml(channelDevice(OWN_AGENT_CHANNEL));
    const done = await attachElement(host, vm, device, places, {}, "channel");
    return live !== undefined && done.live === places.live ? "now" : "next start";
  } catch (error) {
    await rollback.run();
    throw deviceError(error, "AttachFailed", "insert_guest_tools", { device: "channel" });
  }
}
