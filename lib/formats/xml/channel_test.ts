import assert from "node:assert/strict";
import { renderXml } from "./build.ts";
import { channelDevice, channelOf, OWN_AGENT_CHANNEL, QEMU_AGENT_CHANNEL } from "./channel.ts";
import { FULL, resolved } from "../../vm/create/testing.ts";
import { newDomainXml } from "./new_domain.ts";

const domain = (...channels: string[]) => `<domain><devices>${channels.join("")}</devices></domain>`;
const channel = (name: string, state = "") =>
  `<channel type="unix"><target type="virtio" name="${name}"${state}/></channel>`;

Deno.test("channelOf() tells one channel from the others, and a state that libvirt may add from none", () => {
  const both = domain(channel(QEMU_AGENT_CHANNEL, ' state="connected"'), channel(OWN_AGENT_CHANNEL));
  assert.equal(channelOf(both, QEMU_AGENT_CHANNEL).state, "connected");
  assert.equal(channelOf(both, OWN_AGENT_CHANNEL).state, "disconnected");
  assert.equal(
    channelOf(domain(channel("x", ' state="connected"')), OWN_AGENT_CHANNEL).state,
    "not configured",
  );
  assert.equal(channelOf("<domain/>", OWN_AGENT_CHANNEL).state, "not configured");
});

Deno.test("a new VM has the channels of both agents, and the CD with the guest tools where it is wished for", () => {
  const { vm } = resolved({ guestTools: true, disks: [] }, FULL);
  const xml = newDomainXml({ ...vm, tools: { ...vm.tools!, path: "/pool/tools.iso" } });
  for (const name of [QEMU_AGENT_CHANNEL, OWN_AGENT_CHANNEL]) {
    assert.ok(xml.includes(`name="${name}"`) || xml.includes(`name='${name}'`), xml);
    assert.ok(renderXml(channelDevice(name)).includes(name));
  }
  assert.match(xml, /\/pool\/tools\.iso/);
  assert.throws(() => newDomainXml(vm), /not made yet/);
});
