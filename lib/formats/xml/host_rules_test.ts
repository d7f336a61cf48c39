import assert from "node:assert/strict";
import { withHostRules } from "./host_rules.ts";

const card = (mac: string, inside = "") =>
  `<interface type='network'><mac address='${mac}'/><source network='n'/>${inside}</interface>`;
const disk = (target: string, inside = "") =>
  `<disk type='file' device='disk'><source file='/p/${target}'/><target dev='${target}'/>${inside}</disk>`;
const filter = "<filterref filter='clean-traffic'><parameter name='IP' value='192.0.2.7'/></filterref>";
const limit = "<iotune><total_iops_sec>500</total_iops_sec></iotune>";
const domain = (...devices: string[]) => `<domain><devices>${devices.join("")}</devices></domain>`;
const snapshot = (...devices: string[]) =>
  `<domainsnapshot><name>s</name>${domain(...devices)}` +
  `<inactiveDomain><devices>${devices.join("")}</devices></inactiveDomain></domainsnapshot>`;
const plain = (text: string) => text.replaceAll(/\n\s*/g, "");

Deno.test("withHostRules() gives cards and disks of a snapshot the filters and limits of now", () => {
  const before = snapshot(
    card("52:54:00:AA:00:01"),
    card("52:54:00:aa:00:02", filter),
    disk("vda"),
    disk("vdb", limit),
  );
  const now = domain(
    card("52:54:00:aa:00:01", filter),
    card("52:54:00:aa:00:02"),
    disk("vda", limit),
    disk("vdc"),
  );
  assert.equal(
    plain(withHostRules(before, now)),
    snapshot(
      card("52:54:00:AA:00:01", filter),
      card("52:54:00:aa:00:02"),
      disk("vda", limit),
      disk("vdb", limit),
    ),
  );
});

Deno.test("withHostRules() leaves a snapshot that has them as it is", () => {
  const same = snapshot(card("52:54:00:aa:00:01", filter), disk("vda", limit));
  assert.equal(withHostRules(same, domain(card("52:54:00:aa:00:01", filter), disk("vda", limit))), same);
  assert.equal(withHostRules(same, domain()), same);
});
