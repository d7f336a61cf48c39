/** Devices that go: all their steps are written down before the first of them is taken. */
import assert from "node:assert/strict";
import type { VM } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { child } from "../../../lib/formats/xml/tree.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { Operation } from "../../operations/operation.ts";
import type { OperationRecord } from "../../operations/operation_record.ts";
import { remove } from "./release.ts";

const VM_ID = "11111111-1111-1111-1111-111111111111";

/** The only network interface of a configuration. */
function placeIn(xml: string) {
  const document = new XmlDocument(xml);
  return { document, element: child(document.find("devices")!, "interface")! };
}

Deno.test("remove() writes down at once that a device goes from both configurations, then asks libvirt", async () => {
  const seen: string[] = [];
  let isGone = false;
  const nic = (alias = "") => `<interface><mac address='52:54:00:00:00:01'/>${alias}</interface>`;
  const domain = (id: string, device: string) => `<domain${id}><devices>${device}</devices></domain>`;
  const call = (name: string, { live }: { live?: boolean }) => {
    if (name === "domainXml") return Promise.resolve(domain(" id='3'", isGone ? "" : nic()));
    isGone ||= live === true;
    seen.push(`${name} ${live ? "live" : "config"}`);
    return Promise.resolve(null);
  };
  const operation = new Operation(
    { steps: [] } as unknown as OperationRecord,
    ({ steps }) =>
      seen.push(steps.map((step) => `${step.kind} ${"run" in step ? step.run : ""}`).join(" and ")),
  );
  const wanted = {
    device: "network interface 52:54:00:00:00:01",
    live: placeIn(domain(" id='3'", nic("<alias name='net0'/>"))),
    next: placeIn(domain("", nic())),
    find: (document: XmlDocument) => child(document.find("devices")!, "interface"),
  };
  const host = { link: { call, watch: () => () => {} } } as unknown as LibvirtHost;
  await remove(host, { id: VM_ID, name: "web" } as VM, wanted, operation);
  // A kill between two writes would have the device go from one of the configurations alone.
  assert.deepEqual(seen, [
    "device-doomed 3 and device-doomed null",
    "domainDetachDevice live",
    "domainDetachDevice config",
  ]);
});
