import assert from "node:assert/strict";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { NetworkInventory } from "./networks.ts";

Deno.test("a reading of the networks that was begun before another, and ends after it, is not taken", async () => {
  const scans: PromiseWithResolvers<unknown>[] = [];
  const link = {
    call: () => {
      const scan = Promise.withResolvers<unknown>();
      scans.push(scan);
      return scan.promise;
    },
  } as unknown as LibvirtLink;
  const inventory = new NetworkInventory(link, () => {});
  const network = (xml: string) => [{ name: "lab", active: true, persistent: true, autostart: true, xml }];
  const [first, second] = [inventory.reread(), inventory.reread()];
  scans[1]!.resolve(network("<network>new</network>"));
  await second;
  scans[0]!.resolve(network("<network>old</network>"));
  await first;
  assert.equal(inventory.record("lab")?.xml, "<network>new</network>");
  const third = inventory.reread();
  scans[2]!.resolve(network("<network>newer</network>"));
  await third;
  assert.equal(inventory.record("lab")?.xml, "<network>newer</network>");
});
