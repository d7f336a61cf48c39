/** Network filters on a real guest's card: what it may send, and what is dropped; virsh is the independent witness. */
import assert from "node:assert/strict";
import { messageOf } from "../../lib/text/message.ts";
import { inGuest } from "../testbed/exec.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const noGuest = await requirement("guest");

/** Why this kernel filters no frames, as libvirt would do it; null where it does. */
async function noFiltering(): Promise<string | null> {
  try {
    await run(["ebtables", "-t", "nat", "-L"]);
    return null;
  } catch (error) {
    const reason = `ebtables does not work here: ${messageOf(error)}`;
    console.error(`SKIP nic filters: ${reason}`);
    return reason;
  }
}
const ignore = noGuest !== null || await noFiltering() !== null;

Deno.test({
  name: "list_nic_filters() gives what virsh gives, and says what to install where libvirt has none",
  ignore: noGuest !== null,
  fn: async () => {
    await using server = await readyServer();
    const filters = await call(server, "list_nic_filters");
    const rows = [...(await virsh("nwfilter-list")).matchAll(/^\s*([0-9a-f-]{36})\s+(\S+)\s*$/gm)];
    const theirs = rows.map(([, uuid, name]) => [name!, uuid!]).sort(([a], [b]) => a! < b! ? -1 : 1);
    assert.ok(theirs.length > 0);
    assert.deepEqual(filters.map(({ name, uuid }) => [name, uuid]), theirs);
    const clean = filters.find(({ name }) => name === "clean-traffic")!;
    assert.ok(clean.includes.includes("no-mac-spoofing") && clean.parameters.includes("IP"));
    assert.equal(clean.xml, (await virsh("nwfilter-dumpxml", "clean-traffic")).trim() + "\n");
    await using without = await readyServer({ uri: "test:///default" });
    await refused(
      call(without, "list_nic_filters"),
      "NotOnThisHost",
      /Network filters .* libvirt-daemon-driver-nwfilter/,
    );
    const [vm] = await call(without, "get_vms");
    const options = await call(without, "get_device_options", { vmId: vm!.id });
    assert.match(options.filtersUnavailable!, /nwfilter/);
  },
});

Deno.test({
  name: "update_nic() with clean-traffic drops what a guest sends under another's IP or MAC address",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("filter");
    await using vm = await testMachine({ purpose: "filter", machine: "pc", network, start: true });
    await using server = await readyServer();
    const vmId = vm.uuid, mac = vm.mac!;
    await known(server, vmId);
    await vm.waitForBoot(1, { seconds: 180 });
    await vm.waitForAgent({ seconds: 120 });
    const address = await vm.waitForLease({ seconds: 120 });
    const host = `${network.subnet}.1`, spoofed = `${network.subnet}.251`;
    /** Whether the host answers the guest that asks from this address. */
    const reaches = async (from: string) => {
      const answer = await inGuest(vm, `ping -c 2 -W 2 -I ${from} ${host}; echo status $?`);
      return /status 0$/.test(answer);
    };
    const setMac = (to: string) =>
      inGuest(vm, `ip link set eth0 down; ip link set eth0 address ${to}; ip link set eth0 up`);
    const nic = async () =>
      (await call(server, "get_vm_devices", { vmId })).nics.find((each) => each.mac === mac)!;
    // The guest's DHCP client takes away what the card has when it gives it the address of the lease
    await until(
      "the guest to have its address",
      async () => (await inGuest(vm, "ip addr")).includes(address),
    );
    await inGuest(vm, `ip addr add ${spoofed}/24 dev eth0`);

    await t.step("without a filter both get through", async () => {
      assert.ok(await reaches(address));
      assert.ok(await reaches(spoofed));
    });
    await t.step("with it only its own address does, at once", async () => {
      const input = { vmId, mac, filter: "clean-traffic", filterAddresses: [address] };
      assert.deepEqual(await call(server, "update_nic", input), { live: true, persistent: true });
      for (const xml of [await vm.xml(), await vm.xml("--inactive")]) {
        assert.match(xml, new RegExp(`filter='clean-traffic'>\\s*<parameter name='IP' value='${address}'`));
      }
      const shown = await nic();
      assert.deepEqual([shown.filter, shown.filterAddresses, shown.pending], [
        "clean-traffic",
        [address],
        [],
      ]);
      assert.ok(await reaches(address), "its own address is let through");
      assert.ok(!await reaches(spoofed), "another's address is dropped");
    });
    await t.step("another's MAC address is dropped too", async () => {
      await setMac("52:54:00:de:ad:01");
      assert.ok(!await reaches(address));
      await setMac(mac);
      assert.ok(await reaches(address), "its own is let through again");
    });
    await t.step("one more address may be used, and the filter's name stays", async () => {
      await call(server, "update_nic", { vmId, mac, filterAddresses: [address, spoofed] });
      assert.deepEqual([(await nic()).filter, (await nic()).filterAddresses], [
        "clean-traffic",
        [address, spoofed],
      ]);
      assert.ok(await reaches(spoofed));
    });
    await t.step("without the filter everything gets through again", async () => {
      await call(server, "update_nic", { vmId, mac, filter: "" });
      assert.doesNotMatch(await vm.xml(), /filterref/);
      assert.deepEqual([(await nic()).filter, (await nic()).filterAddresses], [undefined, []]);
      assert.ok(await reaches(spoofed));
    });
    await t.step("what cannot be is refused, and changes nothing", async () => {
      const before = await vm.xml("--inactive");
      const base = { vmId, mac };
      await refused(call(server, "update_nic", { ...base, filter: "none-such" }), "FilterNotFound");
      await refused(
        call(server, "update_nic", { ...base, filterAddresses: [address] }),
        "InvalidInput",
        /choose one, or anti-spoofing/,
      );
      await refused(
        call(server, "update_nic", { ...base, filter: "clean-traffic", filterAddresses: ["10.0.0.300"] }),
        "InvalidInput",
        /10\.0\.0\.300 is not an IP address/,
      );
      assert.equal(await vm.xml("--inactive"), before);
    });
  },
});

/** A machine whose card passt forwards, as libvirt's own documentation has it. */
const PASST =
  "<domain type='qemu'><name>kvmm-test-passt-witness</name><memory>65536</memory><os><type>hvm</type></os>" +
  "<devices><interface type='user'><backend type='passt'/></interface></devices></domain>";

/** Whether this libvirt takes it. */
async function libvirtTakesPasst(): Promise<boolean> {
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    await Deno.writeTextFile(file, PASST);
    if (await virshUnless(/Invalid value for attribute|passt/, "define", file) === null) return false;
    await virsh("undefine", "kvmm-test-passt-witness");
    return true;
  } finally {
    await Deno.remove(file);
  }
}

Deno.test({
  name: "attach_nic() with user networking needs no network; passt is offered where libvirt takes it",
  ignore: noGuest !== null || await requirement("passt") !== null,
  fn: async () => {
    await using vm = await testMachine({ purpose: "user-net", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const made = await call(server, "attach_nic", { vmId, user: "slirp" });
    assert.match(await vm.xml(), new RegExp(`<interface type='user'>\\s*<mac address='${made.mac}'/>`));
    const shown = (await call(server, "get_vm_devices", { vmId })).nics.find(({ mac }) => mac === made.mac)!;
    assert.deepEqual([shown.type, shown.network], ["user", "slirp"]);
    const { userNetworking } = await call(server, "get_device_options", { vmId });
    const passt = userNetworking.find(({ backend }) => backend === "passt")!;
    // Its package is there: all that can be in the way is libvirt. Debian 12 builds it without.
    assert.equal(passt.unavailable === undefined, await libvirtTakesPasst(), JSON.stringify(passt));
    if (passt.unavailable !== undefined) {
      await refused(
        call(server, "attach_nic", { vmId, user: "passt" }),
        "NotOnThisHost",
        `passt is not available on this host: ${passt.unavailable}`,
      );
    } else {
      await call(server, "update_nic", { vmId, mac: made.mac, user: "passt" });
      assert.match(await vm.xml(), /<backend type='passt'\/>/);
    }
    const nic = (await call(server, "get_network_topology")).vms.find((each) => each.vmId === vmId)!.nics
      .find(({ mac }) => mac === made.mac);
    assert.equal(nic?.to, "user");
  },
});
