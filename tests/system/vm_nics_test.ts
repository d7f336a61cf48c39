/** Network cards after creation, on a running guest; virsh and the guest are the witnesses. */
import assert from "node:assert/strict";
import { inGuest } from "../testbed/exec.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "attach_nic(), update_nic() and detach_nic() on a running guest",
  ignore,
  fn: async (t) => {
    await using first = await testNetwork("nic-a");
    await using second = await testNetwork("nic-b");
    await using vm = await testMachine({ purpose: "nics", machine: "pc", network: first, start: true });
    await using server = await readyServer();
    const vmId = vm.uuid, mac = vm.mac!;
    await known(server, vmId);
    await vm.waitForBoot();
    await vm.waitForAgent();
    await vm.waitForLease();
    const nicOf = async (address: string) =>
      (await call(server, "get_vm_devices", { vmId })).nics.find((nic) => nic.mac === address);

    await t.step("its cable is pulled, now and at the next start, and plugged in again", async () => {
      for (const [linkUp, word, carrier] of [[false, "down", "0"], [true, "up", "1"]] as const) {
        assert.deepEqual(await call(server, "update_nic", { vmId, mac, linkUp }), {
          live: true,
          persistent: true,
        });
        assert.match(await virsh("domif-getlink", vm.name, mac), new RegExp(word));
        assert.match(await virsh("domif-getlink", vm.name, mac, "--config"), new RegExp(word));
        await until(
          `carrier ${carrier} in the guest`,
          async () => await inGuest(vm, "cat /sys/class/net/eth0/carrier") === carrier,
        );
        const shown = await nicOf(mac);
        assert.deepEqual([shown?.linkUp, shown?.pending], [linkUp, []]);
      }
    });
    await t.step("another network gives it another address", async () => {
      assert.deepEqual(await call(server, "update_nic", { vmId, mac, network: second.name }), {
        live: true,
        persistent: true,
      });
      for (const xml of [await vm.xml(), await vm.xml("--inactive")]) {
        assert.match(xml, new RegExp(`network='${second.name}'`));
        assert.doesNotMatch(xml, new RegExp(`network='${first.name}'`));
      }
      assert.match(await virsh("domif-getlink", vm.name, mac), /up/, "it is plugged in again");
      await until("the carrier", async () => await inGuest(vm, "cat /sys/class/net/eth0/carrier") === "1");
      // Busybox's client does not watch the cable, as others do: it is asked to begin again.
      await inGuest(vm, "kill -USR2 $(pidof udhcpc); kill -USR1 $(pidof udhcpc)");
      const lease = await until(
        "a lease of the other network",
        async () => (await second.leases()).find((each) => each.mac === mac)?.address,
      );
      assert.ok(lease.startsWith(`${second.subnet}.`), lease);
      await until(
        "the address in the guest",
        async () => (await inGuest(vm, "ip -4 addr show eth0")).includes(lease),
      );
    });
    let added = "";
    await t.step("a card with an address of its own is added, and seen by the guest", async () => {
      const done = await call(server, "attach_nic", { vmId, network: first.name });
      added = done.mac;
      assert.match(added, /^52:54:00(:[0-9a-f]{2}){3}$/);
      assert.deepEqual([done.live, done.persistent], [true, true]);
      await until(
        "the card in the guest",
        async () => (await inGuest(vm, "cat /sys/class/net/*/address")).includes(added),
      );
      assert.match(await virsh("domiflist", vm.name), new RegExp(added));
      assert.match(await virsh("domiflist", vm.name, "--inactive"), new RegExp(added));
      const shown = await nicOf(added);
      assert.deepEqual([shown?.model, shown?.network, shown?.place], ["virtio", first.name, "both"]);
      assert.equal(typeof shown?.rxBytes, "number");
    });
    await t.step("a bridge of the host instead of a network, and back", async () => {
      const bridge = /Bridge:\s+(\S+)/.exec(await virsh("net-info", second.name))![1]!;
      assert.deepEqual(await call(server, "update_nic", { vmId, mac: added, bridge }), {
        live: true,
        persistent: true,
      });
      for (const xml of [await vm.xml(), await vm.xml("--inactive")]) {
        assert.match(xml, new RegExp(`<interface type='bridge'>[^]*?<source bridge='${bridge}'/>`));
      }
      const shown = await nicOf(added);
      assert.deepEqual([shown?.type, shown?.network, shown?.linkUp], ["bridge", bridge, true]);
      await call(server, "update_nic", { vmId, mac: added, network: first.name });
      assert.equal((await nicOf(added))?.network, first.name);
    });
    await t.step("model and MAC address wait for the next start", async () => {
      const newMac = "52:54:00:fe:dc:ba";
      assert.deepEqual(await call(server, "update_nic", { vmId, mac: added, model: "e1000e" }), {
        live: false,
        persistent: true,
      });
      assert.deepEqual((await nicOf(added))?.pending, [{ field: "model", now: "virtio", next: "e1000e" }]);
      await call(server, "update_nic", { vmId, mac: added, newMac: newMac.toUpperCase() });
      assert.match(await virsh("domiflist", vm.name, "--inactive"), new RegExp(newMac));
      assert.match(await virsh("domiflist", vm.name), new RegExp(added));
      assert.deepEqual((await nicOf(added))?.pending, [
        { field: "mac", now: added, next: newMac },
        { field: "model", now: "virtio", next: "e1000e" },
      ]);
      await call(server, "update_nic", { vmId, mac: newMac, newMac: added, model: "virtio" });
      assert.deepEqual((await nicOf(added))?.pending, []);
    });
    await t.step("a filter is set and taken away", async () => {
      const filter = "no-mac-spoofing";
      await call(server, "update_nic", { vmId, mac, filter });
      for (const xml of [await vm.xml(), await vm.xml("--inactive")]) {
        assert.match(xml, new RegExp(`<filterref filter='${filter}'`));
      }
      await call(server, "update_nic", { vmId, mac, filter: "" });
      for (const xml of [await vm.xml(), await vm.xml("--inactive")]) assert.doesNotMatch(xml, /filterref/);
    });
    await t.step("detach_nic() waits for the guest", async () => {
      assert.deepEqual(await call(server, "detach_nic", { vmId, mac: added }), {
        live: true,
        persistent: true,
      });
      assert.equal((await inGuest(vm, "cat /sys/class/net/*/address")).includes(added), false);
      assert.doesNotMatch(await virsh("domiflist", vm.name, "--inactive"), new RegExp(added));
      await refused(call(server, "detach_nic", { vmId, mac: added }), "NoSuchNic");
    });
  },
});

Deno.test({
  name: "attach_nic() and update_nic() refuse what cannot work, and change nothing",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("nic-no");
    await using off = await testNetwork("nic-off");
    await virsh("net-destroy", off.name);
    await using vm = await testMachine({ purpose: "nic-no", guest: false, network, start: true });
    await using other = await testMachine({ purpose: "nic-no-b", guest: false, network });
    await using server = await readyServer();
    const vmId = vm.uuid, mac = vm.mac!;
    await known(server, vmId);
    await known(server, other.uuid);
    const before = [await vm.xml(), await vm.xml("--inactive")];
    const attach = (what: object) => server.call("attach_nic", { vmId, ...what });
    const update = (what: object) => server.call("update_nic", { vmId, mac, ...what });
    await t.step("networks, bridges, devices and filters that are not there", async () => {
      for (const ask of [attach, update]) {
        await refused(
          ask({ network: "kvmm-none" }),
          "NetworkNotFound",
          "Network not found: kvmm-none",
        );
        await refused(ask({ network: off.name }), "NetworkNotActive", /Start it first/);
        await refused(
          ask({ bridge: "kvmm-none" }),
          "BridgeNotFound",
          "Bridge not found: kvmm-none",
        );
        await refused(ask({ bridge: "lo" }), "BridgeNotFound");
        await refused(ask({ direct: ".." }), "HostInterfaceNotFound");
        await refused(ask({ network: network.name, filter: "kvmm-none" }), "FilterNotFound");
        await refused(ask({ network: network.name, bridge: "br0" }), "InvalidInput");
        await refused(ask({ network: "../x" }), "InvalidInput", /network/);
        await refused(ask({ network: network.name, model: "<b>" }), "InvalidInput", /model/);
      }
      await refused(attach({}), "InvalidInput");
      await refused(update({}), "InvalidInput", /say what to change/);
    });
    await t.step("addresses that are no card's, or another's", async () => {
      const at = { network: network.name };
      for (const bad of ["52:54:00:00:00:zz", "01:00:5e:00:00:01", "00:00:00:00:00:00"]) {
        await refused(attach({ ...at, mac: bad }), "InvalidMac");
        await refused(update({ newMac: bad }), "InvalidMac");
      }
      for (const [taken, user] of [[other.mac!.toUpperCase(), other.name], [mac, vm.name]] as const) {
        await refused(
          attach({ ...at, mac: taken }),
          "MacInUse",
          `MAC address is already used by ${user}: ${taken.toLowerCase()}`,
        );
      }
      await refused(update({ newMac: other.mac }), "MacInUse");
      await refused(
        server.call("update_nic", { vmId, mac: "52:54:00:00:00:01", linkUp: false }),
        "NoSuchNic",
      );
    });
    await t.step("a guest without a driver does not release it", async () => {
      await refused(
        call(server, "detach_nic", { vmId, mac }),
        "DeviceNotReleased",
        /the guest did not release it within 15 seconds/,
      );
    });
    assert.deepEqual([await vm.xml(), await vm.xml("--inactive")], before);
    await t.step(
      "for the next start a network may be off, and a stopped machine takes everything",
      async () => {
        const next = await call(server, "attach_nic", { vmId, network: off.name, live: false });
        assert.deepEqual([next.live, next.persistent], [false, true]);
        const found = (await call(server, "get_vm_devices", { vmId })).nics.find((nic) =>
          nic.mac === next.mac
        );
        assert.equal(found?.place, "next");
        await call(server, "update_nic", {
          vmId: other.uuid,
          mac: other.mac!,
          model: "rtl8139",
          linkUp: false,
        });
        assert.match(await other.xml(), /<model type='rtl8139'\/>\s*<link state='down'\/>/);
        await call(server, "detach_nic", { vmId: other.uuid, mac: other.mac! });
        assert.doesNotMatch(await other.xml(), /<interface/);
      },
    );
  },
});
