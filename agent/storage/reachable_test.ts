import assert from "node:assert/strict";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { requirePoolReachable, requireReachable, requireSourcesReachable } from "./reachable.ts";
import { localMachine } from "../machine/machine.ts";

/** A host that tells what it is asked. */
function hostOf(uri: string) {
  const asked: string[] = [];
  const host = {
    machine: localMachine(uri),
    link: {
      machine: localMachine(uri),
      call: (name: string) => {
        asked.push(name);
        return Promise.resolve(
          "<domain><devices><disk><source file='/no/such/image'/></disk></devices></domain>",
        );
      },
    },
    inventory: {
      vm: () => undefined,
      storage: {
        record: (name: string) => {
          asked.push(name);
          return { xml: "<pool type='dir'><target><path>/no/such/pool</path></target></pool>" };
        },
      },
    },
  } as unknown as LibvirtHost;
  return { host, asked };
}

Deno.test("what is elsewhere is not looked at, and what is missing is libvirt's to say", async () => {
  const xml = "<disk type='volume'><source pool='images' volume='a'/></disk>";
  for (const uri of ["qemu+ssh://other/system", "test:///default"]) {
    const { host, asked } = hostOf(uri);
    await requireReachable(host, xml);
    await requireSourcesReachable(host, { id: "id" });
    await requirePoolReachable(host, "images");
    assert.deepEqual(asked, [], uri);
  }
  const { host, asked } = hostOf("qemu:///system");
  await requireReachable(host, xml);
  await requireSourcesReachable(host, { id: "id" });
  await requirePoolReachable(host, "images");
  assert.deepEqual(asked, ["images", "domainXml", "images"]);
});
