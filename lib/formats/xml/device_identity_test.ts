import assert from "node:assert/strict";
import {
  type DeviceIdentity,
  identitiesXml,
  identityText,
  knownIdentities,
  mayBeOne,
  takenNames,
} from "./device_identity.ts";
import { parseXml } from "./tree.ts";

const CARD: DeviceIdentity = { model: "8086:1533", subsystem: "1028:0615" };
const STICK: DeviceIdentity = { model: "0781:5581", serial: `"A<1>&'` };

Deno.test("identitiesXml() is read by knownIdentities(), hostile serials too; nothing is kept of nothing", () => {
  const kept = new Map([["0000:01:00.0", CARD], ["0781:5581", STICK]]);
  const element = identitiesXml(kept)!.replaceAll("devices>", "kvmm-devices:devices>");
  const root = parseXml(`<domain><metadata>${element}</metadata></domain>`);
  assert.deepEqual(knownIdentities(root), kept);
  assert.deepEqual(knownIdentities(parseXml("<domain/>")), new Map());
  assert.equal(identitiesXml(new Map()), null);
});

Deno.test("mayBeOne() compares what both say", () => {
  assert.ok(mayBeOne(CARD, CARD));
  assert.ok(mayBeOne({ model: CARD.model }, CARD));
  assert.ok(!mayBeOne({ ...CARD, model: "8086:1521" }, CARD));
  assert.ok(!mayBeOne({ ...CARD, subsystem: "1028:0616" }, CARD));
  assert.ok(!mayBeOne({ ...STICK, serial: "B2" }, STICK));
  assert.equal(identityText(CARD), "8086:1533 (card 1028:0615)");
  assert.equal(identityText({ model: "0781:5581", serial: "B2" }), "0781:5581, serial B2");
});

Deno.test("takenNames() has each device once, network cards of SR-IOV and NVMe disks, too", () => {
  const at = (bus: string) => `<source><address domain='0' bus='${bus}' slot='0' function='0'/></source>`;
  const root = parseXml(
    `<domain><devices><hostdev mode='subsystem' type='pci'>${at("1")}</hostdev>` +
      `<interface type='hostdev'>${at("1")}</interface><disk type='nvme'>${
        at("2")
      }</disk></devices></domain>`,
  );
  assert.deepEqual(takenNames(root), ["0000:01:00.0", "0000:02:00.0"]);
});
