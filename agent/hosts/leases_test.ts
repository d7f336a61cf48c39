import assert from "node:assert/strict";
import type { DhcpLease, NetworkRecord } from "../../ffi/calls/mod.ts";
import { leasesOn } from "./leases.ts";
import { localMachine } from "../machine/machine.ts";

const XML = `<network><name>default</name><bridge name='virbr0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.9'/></dhcp></ip>
</network>`;
const LEASE = {
  mac: "52:54:00:00:00:01",
  address: "192.168.122.5",
  prefix: 24,
  hostname: "web",
  clientId: "",
  expires: 5,
};
const TEXT = JSON.stringify([{
  "ip-address": LEASE.address,
  "mac-address": LEASE.mac,
  "hostname": LEASE.hostname,
  "expiry-time": LEASE.expires,
}]);

/** A libvirt that gives one lease, and counts who asks. */
function source(uri: string, xml = XML) {
  const asked: string[] = [];
  return {
    asked,
    link: {
      machine: localMachine(uri),
      call: ((name: string) => {
        asked.push(name);
        return Promise.resolve([{ ...LEASE, hostname: "libvirt" }] as DhcpLease[]);
      }) as never,
    },
    networks: { record: () => ({ name: "default", xml }) as NetworkRecord },
  };
}

Deno.test("leasesOn() reads libvirt's file on this host, and asks libvirt where that cannot be", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const system = source("qemu:///system");
    assert.deepEqual(await leasesOn(system, "default", folder), [], "no lease was given yet");
    await Deno.writeTextFile(`${folder}/virbr0.status`, TEXT);
    assert.deepEqual(await leasesOn(system, "default", folder), [LEASE]);
    assert.deepEqual(system.asked, []);
    for (const uri of ["qemu:///session", "qemu+ssh://other/system", "qemu+unix:///system?socket=/x"]) {
      const other = source(uri);
      assert.equal((await leasesOn(other, "default", folder))[0]?.hostname, "libvirt", uri);
    }
    const odd = source("qemu:///system", "<network><bridge name='../virbr0'/></network>");
    assert.equal((await leasesOn(odd, "default", folder))[0]?.hostname, "libvirt");
    assert.equal((await leasesOn(system, "default", `${folder}/none`))[0]?.hostname, "libvirt");
    await Deno.writeTextFile(`${folder}/virbr0.status`, "{");
    assert.equal((await leasesOn(system, "default", folder))[0]?.hostname, "libvirt");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
