/** Networks: made, run, changed and removed on the real libvirt, with real guests; virsh is the independent witness. */
import assert from "node:assert/strict";
import type { Input, Output } from "../../lib/contract/mod.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { run } from "../testbed/process.ts";
import { call, EventLog, readyServer, refusal, refused, shows } from "../testbed/product.ts";
import { removeFiles, removeNetwork } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { renderXml } from "../../lib/formats/xml/build.ts";
import { nicXml } from "../../lib/formats/xml/device_nic.ts";
import { networkXml } from "../../lib/formats/xml/network.ts";
import { until } from "../testbed/wait.ts";
import { markup } from "../testbed/xml.ts";

const ignore = await requirement("guest") !== null;

/** A name for a network of the product's, removed in the end whatever became of it. */
async function networkName(purpose: string): Promise<AsyncDisposable & { name: string }> {
  const name = await testName(purpose);
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeNetwork(name);
      await removeFiles(name);
    },
  };
}

/** The first three numbers of a free /24. */
async function freeSubnet(server: TestServer): Promise<string> {
  const { freeIpv4 } = await call(server, "get_network_options");
  return freeIpv4!.replace(/\.1\/24$/, "");
}

function found(server: TestServer, name: string): Promise<Output<"get_networks">[number] | undefined> {
  return call(server, "get_networks").then((all) => all.find((each) => each.name === name));
}

Deno.test({
  name: "create_network() makes a network whose guests get leases; static leases are kept",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using own = await networkName("own");
    const { name } = own;
    const net = await freeSubnet(server);
    await using log = await EventLog.open(server);

    await t.step("create_network(), with addresses, DNS and limits", async () => {
      await call(server, "create_network", {
        name,
        mode: "isolated",
        ipv4: { address: `${net}.1/24`, ranges: [{ start: `${net}.100`, end: `${net}.150` }] },
        ipv6: { address: "fd3e:8a11:7c55:1::1/64" },
        domain: "lab.test",
        localDomain: true,
        dnsHosts: [{ ip: `${net}.9`, hostnames: ["printer", "printer.lab.test"] }],
        mtu: 1400,
      });
      const info = await virsh("net-info", name);
      for (const line of [/Active:\s+yes/, /Persistent:\s+yes/, /Autostart:\s+yes/]) assert.match(info, line);
      const xml = await virsh("net-dumpxml", name);
      assert.match(xml, /<mtu size='1400'\/>/);
      assert.match(xml, /<domain name='lab.test' localOnly='yes'\/>/);
      assert.match(xml, /<hostname>printer.lab.test<\/hostname>/);
      await log.waitFor("network-changed", (data) => data.name === name && data.event === "started");
      const told = log.of("network-changed").filter((data) => data.name === name).map(({ event }) => event);
      // Read when it runs already, it looks the same at both: then the start alone is told.
      const once = told.filter((event) => event !== "updated");
      assert.ok(["defined,started", "started"].includes(once.join()), `each once: ${told}`);
    });
    await t.step("get_network() shows it so", async () => {
      const shown = await call(server, "get_network", { name });
      assert.deepEqual(
        [shown.mode, shown.active, shown.autostart, shown.domain, shown.mtu],
        ["isolated", true, true, "lab.test", 1400],
      );
      assert.deepEqual(shown.subnets.map(({ cidr }) => cidr), [`${net}.0/24`, "fd3e:8a11:7c55:1::/64"]);
      assert.deepEqual(shown.subnets[0]!.ranges, [{ start: `${net}.100`, end: `${net}.150` }]);
      assert.match(shown.xml, /<network/);
    });

    await using vm = await testMachine({
      purpose: "leased",
      agent: false,
      network: asTestNetwork(name, net),
    });
    await using other = await testMachine({
      purpose: "static",
      agent: false,
      network: asTestNetwork(name, net),
    });
    await shows(server, other.uuid, ({ networkInterfaces }) => networkInterfaces[0]?.network === name);

    await t.step("update_network_dhcp() adds a static lease to the running network", async () => {
      const lease = { mac: other.mac!, ip: `${net}.20`, hostname: "fixed" };
      assert.deepEqual(await call(server, "update_network_dhcp", { name, add: [lease] }), {
        live: true,
        persistent: true,
      });
      for (const flags of [[], ["--inactive"]]) {
        assert.match(await virsh("net-dumpxml", name, ...flags), new RegExp(`name='fixed' ip='${net}.20'`));
      }
      assert.deepEqual((await call(server, "get_network", { name })).subnets[0]!.hosts, [lease]);
    });
    await t.step("guests get their leases, the static one among them", async () => {
      await call(server, "start_vm", { vmId: vm.uuid });
      await call(server, "start_vm", { vmId: other.uuid });
      const leases = await until("both leases", async () => {
        const all = await call(server, "get_network_leases", { name });
        return all.length === 2 ? all : null;
      }, { seconds: 90, every: 500, lastSeen: () => virsh("net-dhcp-leases", name) });
      const [fixed, dynamic] = leases;
      assert.deepEqual([fixed!.ip, fixed!.mac, fixed!.vmId, fixed!.isStatic], [
        `${net}.20`,
        other.mac,
        other.uuid,
        true,
      ]);
      assert.deepEqual([dynamic!.vmName, dynamic!.isStatic], [vm.name, false]);
      assert.match(dynamic!.ip, new RegExp(`^${net.replaceAll(".", "\\.")}\\.1[0-5]\\d$`));
      assert.ok(dynamic!.expiresAt! > Date.now());
      assert.match(await virsh("net-dhcp-leases", name), new RegExp(`${dynamic!.mac}.*${dynamic!.ip}/24`));
    });
    await t.step(
      "an address that another VM holds is kept for no other VM, unless that is said",
      async () => {
        const dynamic = (await call(server, "get_network_leases", { name })).find(({ isStatic }) =>
          !isStatic
        )!;
        const add = [{ mac: "52:54:00:00:00:09", ip: dynamic.ip }];
        await refused(
          call(server, "update_network_dhcp", { name, add }),
          "AddressLeased",
          new RegExp(`${dynamic.ip} is leased to ${vm.name} \\(${dynamic.mac}\\) \\(until `),
        );
        await call(server, "update_network_dhcp", { name, add, allowLeased: true });
        await call(server, "update_network_dhcp", { name, remove: add });
      },
    );
    await t.step("a lease is made static as it is, and a second one for the same is refused", async () => {
      const dynamic = (await call(server, "get_network_leases", { name })).find(({ isStatic }) => !isStatic)!;
      const add = [{ mac: dynamic.mac, ip: dynamic.ip }];
      await call(server, "update_network_dhcp", { name, add });
      assert.ok((await call(server, "get_network_leases", { name })).every(({ isStatic }) => isStatic));
      await refused(call(server, "update_network_dhcp", { name, add }), "StaticLeaseTaken");
      await refused(
        call(server, "update_network_dhcp", { name, add: [{ mac: dynamic.mac, ip: `${net}.30` }] }),
        "StaticLeaseTaken",
        new RegExp(dynamic.mac),
      );
    });
    await t.step("ranges change while it runs", async () => {
      await call(server, "update_network_dhcp", {
        name,
        removeRanges: [{ start: `${net}.100`, end: `${net}.150` }],
        addRanges: [{ start: `${net}.60`, end: `${net}.70` }],
      });
      const xml = await virsh("net-dumpxml", name);
      assert.match(xml, new RegExp(`<range start='${net}.60' end='${net}.70'/>`));
      assert.doesNotMatch(xml, new RegExp(`start='${net}.100'`));
    });
    await t.step("what does not fit is refused, and nothing of it stays", async () => {
      const before = await virsh("net-dumpxml", name);
      const cases: [Omit<Input<"update_network_dhcp">, "name">, Parameters<typeof refused>[1]][] = [
        [{
          add: [{ mac: "52:54:00:00:00:01", ip: `${net}.40` }, { mac: "52:54:00:00:00:02", ip: "10.9.9.9" }],
        }, "AddressOutsideSubnet"],
        [{ add: [{ mac: "52:54:00:00:00:01", ip: `${net}.1` }] }, "AddressOutsideSubnet"],
        [{ add: [{ mac: "52:54:00:00:00:01", ip: `${net}.255` }] }, "AddressOutsideSubnet"],
        [{ add: [{ mac: "01:00:5e:00:00:01", ip: `${net}.41` }] }, "NetworkMismatch"],
        [{ add: [{ ip: `${net}.41` }] }, "NetworkMismatch"],
        [{ add: [{ hostname: "six", ip: "fd3e:8a11:7c55:1::5" }] }, "NetworkMismatch"],
        [{ remove: [{ ip: `${net}.99` }] }, "NoSuchStaticLease"],
        [{ addRanges: [{ start: `${net}.65`, end: `${net}.80` }] }, "DhcpOutsideSubnet"],
        [{ addRanges: [{ start: `${net}.200`, end: "10.9.9.9" }] }, "DhcpOutsideSubnet"],
      ];
      for (const [input, code] of cases) {
        await refused(call(server, "update_network_dhcp", { name, ...input }), code);
      }
      assert.equal(await virsh("net-dumpxml", name), before);
    });
    await t.step("steps before one that libvirt refuses are undone", async () => {
      // In the stored configuration alone, where only libvirt sees that the second lease is there already.
      const hidden = String(markup`<host mac='52:54:00:00:00:77' ip='${net}.45'/>`);
      await virsh("net-update", name, "add", "ip-dhcp-host", hidden, "--config");
      const definitions = () =>
        Promise.all([virsh("net-dumpxml", name), virsh("net-dumpxml", name, "--inactive")]);
      const before = await definitions();
      const add = [{ mac: "52:54:00:00:00:76", ip: `${net}.44` }, {
        mac: "52:54:00:00:00:77",
        ip: `${net}.45`,
      }];
      await refused(
        call(server, "update_network_dhcp", { name, add }),
        "NetworkUpdateFailed",
        /existing dhcp host/,
      );
      assert.deepEqual(await definitions(), before);
      await virsh("net-update", name, "delete", "ip-dhcp-host", hidden, "--config");
    });
    await t.step("stop_network() and delete_network() name the machines that use it", async () => {
      const stop = await refusal(call(server, "stop_network", { name }));
      assert.equal(stop.code, "NetworkInUse");
      for (const user of [vm.name, other.name]) assert.ok(stop.message.includes(user), stop.message);
      await call(server, "force_stop_vm", { vmId: vm.uuid });
      await call(server, "force_stop_vm", { vmId: other.uuid });
      await call(server, "stop_network", { name });
      assert.match(await virsh("net-info", name), /Active:\s+no/);
      await refused(call(server, "stop_network", { name }), "NetworkNotActive");
      await refused(call(server, "delete_network", { name }), "NetworkInUse", new RegExp(vm.name));
      assert.deepEqual(await call(server, "get_network_leases", { name }), []);
    });
    await t.step("start_vm() on a stopped network names it", async () => {
      const error = await refusal(call(server, "start_vm", { vmId: vm.uuid }));
      assert.deepEqual([error.code, error.details.network], ["NetworkNotActive", name]);
      assert.equal(error.message, `Network is not active: ${name}. Start it first.`);
      await call(server, "start_network", { name });
      await call(server, "start_vm", { vmId: vm.uuid });
      await call(server, "force_stop_vm", { vmId: vm.uuid });
      await refused(call(server, "start_network", { name }), "NetworkAlreadyActive");
    });
    await t.step("delete_network(), forced, takes it away", async () => {
      await call(server, "delete_network", { name, force: true });
      assert.equal(await found(server, name), undefined);
      assert.doesNotMatch(await virsh("net-list", "--all", "--name"), new RegExp(name));
      await refused(call(server, "get_network", { name }), "NetworkNotFound", `Network not found: ${name}`);
      await refused(call(server, "start_vm", { vmId: vm.uuid }), "NetworkNotFound");
    });
  },
});

/** A network of the product's, as the test bed's machines take one. */
function asTestNetwork(name: string, subnet: string): Awaited<ReturnType<typeof testNetwork>> {
  return {
    name,
    subnet,
    mode: "isolated",
    subnet6: null,
    leases: () => Promise.reject(new Error("not asked")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test({
  name: "create_network() refuses what would break the host or cannot be, before anything is made",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using taken = await testNetwork("taken");
    await using own = await networkName("refused");
    const { name } = own;
    await until("the other network", () => found(server, taken.name), { seconds: 10 });
    const net = await freeSubnet(server);
    const nat = (address: string, more: object = {}) => ({
      name,
      mode: "nat" as const,
      ipv4: { address, ...more },
    });
    const host = Deno.networkInterfaces().find(({ family, name }) => family === "IPv4" && name !== "lo")!;
    const cases: [title: string, input: Input<"create_network">, code: Parameters<typeof refused>[1]][] = [
      ["another network's subnet", nat(`${taken.subnet}.77/26`), "NetworkOverlaps"],
      [
        "a subnet around it",
        nat(`${taken.subnet.split(".").slice(0, 2).join(".")}.0.1/16`),
        "NetworkOverlaps",
      ],
      ["the host's own subnet", nat(`${host.address}/24`), "NetworkOverlaps"],
      ["a name that exists", { ...nat(`${net}.1/24`), name: taken.name }, "NetworkNameExists"],
      ["no subnet", { name, mode: "nat" }, "NetworkMismatch"],
      ["a subnet that is none", nat("10.0.0.300/24"), "InvalidSubnet"],
      ["the subnet's own address", nat(`${net}.0/24`), "InvalidSubnet"],
      ["loopback", nat("127.0.0.1/24"), "InvalidSubnet"],
      ["IPv6 where IPv4 belongs", nat("fd00::1/64"), "InvalidSubnet"],
      [
        "a range outside",
        nat(`${net}.1/24`, { ranges: [{ start: "10.77.0.2", end: "10.77.0.9" }] }),
        "DhcpOutsideSubnet",
      ],
      [
        "a range backwards",
        nat(`${net}.1/24`, { ranges: [{ start: `${net}.9`, end: `${net}.2` }] }),
        "DhcpOutsideSubnet",
      ],
      [
        "a lease outside",
        nat(`${net}.1/24`, { hosts: [{ mac: "52:54:00:00:00:01", ip: "10.77.0.2" }] }),
        "AddressOutsideSubnet",
      ],
      ["a bridge that is not there", { name, mode: "bridge", bridge: "br-none" }, "BridgeNotFound"],
      ["a bridge for a device's name", { ...nat(`${net}.1/24`), bridge: host.name }, "InterfaceNameTaken"],
      ["a device that is not there", { name, mode: "macvtap", devices: ["none0"] }, "HostInterfaceNotFound"],
      ["VLANs on a Linux bridge", { ...nat(`${net}.1/24`), vlan: { tags: [5] } }, "NetworkMismatch"],
      ["no SR-IOV", { name, mode: "sriov", devices: [host.name] }, "NotOnThisHost"],
    ];
    for (const [title, input, code] of cases) {
      await t.step(title, async () => {
        await refused(call(server, "create_network", input), code);
        const findings = await call(server, "check_network", input);
        assert.equal(findings[0]?.code, code);
      });
    }
    await t.step("hostile names", async () => {
      for (const bad of ["", "a/b", "../x", "a\nb", "x".repeat(51), "<b>", "a b", "-x"]) {
        await refused(
          call(server, "create_network", { ...nat(`${net}.1/24`), name: bad }),
          "InvalidNetworkName",
        );
      }
    });
    assert.doesNotMatch(await virsh("net-list", "--all", "--name"), new RegExp(name));
    await t.step("two at once with the same subnet: one is made", async () => {
      await using second = await networkName("second");
      const outcomes = await Promise.allSettled(
        [name, second.name].map((each) =>
          call(server, "create_network", { ...nat(`${net}.1/24`), mode: "isolated", name: each })
        ),
      );
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    });
  },
});

Deno.test({
  name: "Networks that lead to the host's devices, and changes made by virsh",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using own = await networkName("direct");
    const { name } = own;
    const host = Deno.networkInterfaces().find(({ family, name }) => family === "IPv4" && name !== "lo")!;
    await t.step("a macvtap pool", async () => {
      await call(server, "create_network", { name, mode: "macvtap", devices: [host.name], autostart: false });
      assert.match(await virsh("net-dumpxml", name), new RegExp(`<interface dev='${host.name}'`));
      const shown = await found(server, name);
      assert.deepEqual([shown?.mode, shown?.devices, shown?.autostart], ["macvtap", [host.name], false]);
    });
    await t.step("bandwidth limits, which not every kernel can start", async () => {
      await using limited = await networkName("limited");
      await call(server, "create_network", {
        name: limited.name,
        mode: "isolated",
        bandwidth: { inbound: { averageKib: 100_000, peakKib: 200_000, burstKib: 1024 } },
        start: false,
        autostart: false,
      });
      const xml = await virsh("net-dumpxml", limited.name);
      assert.match(xml, /<inbound average='100000' peak='200000' burst='1024'\/>/);
      const shown = await found(server, limited.name);
      assert.deepEqual(shown?.bandwidth?.inbound, { averageKib: 100_000, peakKib: 200_000, burstKib: 1024 });
    });
    await t.step("set_network_autostart(), on and off", async () => {
      for (const [autostart, word] of [[true, "yes"], [false, "no"]] as const) {
        await call(server, "set_network_autostart", { name, autostart });
        assert.match(await virsh("net-info", name), new RegExp(`Autostart:\\s+${word}`));
        assert.equal((await found(server, name))?.autostart, autostart);
      }
    });
    await t.step("what virsh does is shown", async () => {
      await virsh("net-destroy", name);
      await until("it stopped", async () => (await found(server, name))?.active === false, { seconds: 5 });
      await virsh("net-autostart", name);
      await until("autostart", async () => (await found(server, name))?.autostart === true, { seconds: 5 });
      await virsh("net-undefine", name);
      await until("it is gone", async () => await found(server, name) === undefined, { seconds: 5 });
    });
    await t.step("NAT, or libvirt's reason why this kernel has none, with nothing left behind", async () => {
      const net = await freeSubnet(server);
      const input = { name, mode: "nat" as const, ipv4: { address: `${net}.1/24` } };
      try {
        await call(server, "create_network", input);
        assert.match(await virsh("net-dumpxml", name), /<forward mode='nat'/);
        assert.equal((await found(server, name))?.mode, "nat");
      } catch {
        await refused(call(server, "create_network", input), "NetworkCreateFailed", /iptables|nft|firewall/i);
        assert.equal(await virshUnless(/not found|failed to get network/i, "net-info", name), null);
      }
    });
  },
});

Deno.test({
  name: "update_network() changes DNS at once and the rest from the next start on, and says which",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using own = await networkName("edited");
    const { name } = own;
    const net = await freeSubnet(server);
    await call(server, "create_network", {
      name,
      mode: "isolated",
      ipv4: { address: `${net}.1/24` },
      dnsHosts: [{ ip: `${net}.8`, hostnames: ["old.lab.test"] }],
      mtu: 1400,
    });
    const bothXml = () => Promise.all([virsh("net-dumpxml", name), virsh("net-dumpxml", name, "--inactive")]);
    /** Answer of the network's own DNS server. */
    const ask = (host: string) =>
      Deno.resolveDns(host, "A", { nameServer: { ipAddr: `${net}.1`, port: 53 } });

    await t.step("DNS entries are answered at once, and kept", async () => {
      assert.deepEqual(await ask("old.lab.test"), [`${net}.8`]);
      const dnsHosts = [{ ip: `${net}.9`, hostnames: ["printer.lab.test", "paper.lab.test"] }];
      assert.deepEqual(await call(server, "update_network", { name, dnsHosts }), {
        now: ["dnsHosts"],
        nextStart: [],
      });
      await until(
        "the new name",
        () => ask("paper.lab.test").then((all) => all[0] === `${net}.9`, () => false),
        {
          seconds: 10,
        },
      );
      await assert.rejects(ask("old.lab.test"));
      for (const xml of await bothXml()) {
        assert.match(xml, /<hostname>paper.lab.test<\/hostname>/);
        assert.doesNotMatch(xml, /old.lab.test/);
      }
    });
    await t.step("the rest waits for the next start, and is shown so", async () => {
      const input = { name, domain: "lab.test", localDomain: true, mtu: 9000, forwarders: ["9.9.9.9"] };
      assert.deepEqual(await call(server, "update_network", input), {
        now: [],
        nextStart: ["domain", "localDomain", "forwarders", "mtu"],
      });
      const [live, next] = await bothXml();
      assert.match(live!, /<mtu size='1400'\/>/);
      assert.match(next!, /<mtu size='9000'\/>/);
      assert.match(next!, /<domain name='lab.test' localOnly='yes'\/>/);
      const shown = await call(server, "get_network", { name });
      assert.deepEqual(
        [shown.mtu, shown.next.mtu, shown.pending],
        [1400, 9000, ["domain", "localDomain", "forwarders", "mtu"]],
      );
      assert.deepEqual(await call(server, "update_network", input), { now: [], nextStart: [] });
    });
    await t.step("after a new start nothing waits", async () => {
      await call(server, "stop_network", { name });
      await call(server, "start_network", { name });
      const shown = await call(server, "get_network", { name });
      assert.deepEqual([shown.mtu, shown.domain, shown.pending], [9000, "lab.test", []]);
    });
    await t.step("null takes away", async () => {
      await call(server, "update_network", { name, domain: null, mtu: null, forwarders: [] });
      const [, next] = await bothXml();
      assert.doesNotMatch(next!, /<domain|<mtu|<forwarder/);
    });
    await t.step("what does not fit is refused, and nothing of it stays", async () => {
      const before = await bothXml();
      const cases: [Omit<Input<"update_network">, "name">, Parameters<typeof refused>[1]][] = [
        [{ dnsHosts: [{ ip: "10.0.0.300", hostnames: ["x"] }] }, "NetworkMismatch"],
        [{ forwarders: ["::g"], mtu: 1300 }, "InvalidInput"],
        [{ localDomain: true }, "NetworkMismatch"],
        [{ mtu: 1 }, "InvalidInput"],
        [{ domain: "a b" }, "InvalidInput"],
      ];
      for (const [input, code] of cases) {
        await refused(call(server, "update_network", { name, ...input }), code);
      }
      await refused(call(server, "update_network", { name: "none-such", mtu: 1300 }), "NetworkNotFound");
      assert.deepEqual(await bothXml(), before);
    });
    await t.step("DNS entries before a definition that libvirt refuses are undone", async () => {
      const before = await bothXml();
      // One name twice is what libvirt's DNS refuses when the second is added.
      const dnsHosts = [{ ip: `${net}.20`, hostnames: ["one.test"] }, {
        ip: `${net}.20`,
        hostnames: ["two.test"],
      }];
      await refused(call(server, "update_network", { name, dnsHosts, mtu: 1300 }), "NetworkUpdateFailed");
      assert.deepEqual(await bothXml(), before);
    });
  },
});

Deno.test({
  name: "guests on a network that keeps them apart have isolated ports of its bridge",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using own = await networkName("apart");
    const { name } = own, net = await freeSubnet(server);
    const address = { address: `${net}.1/24` };
    await call(server, "create_network", { name, mode: "isolated", ipv4: address, isolatedPorts: true });
    assert.match(await virsh("net-dumpxml", name), /<port isolated='yes'\/>/);
    assert.equal((await found(server, name))?.isolatedPorts, true);
    await using vm = await testMachine({
      purpose: "apart",
      guest: false,
      network: asTestNetwork(name, net),
      start: true,
    });
    const port = /vnet\d+/.exec(await virsh("domiflist", vm.name))?.[0] ?? assert.fail("it has no port");
    assert.equal((await Deno.readTextFile(`/sys/class/net/${port}/brport/isolated`)).trim(), "1");
    for (const isolatedPorts of [false, null]) {
      await call(server, "update_network", { name, isolatedPorts: true });
      assert.deepEqual(await call(server, "update_network", { name, isolatedPorts }), {
        now: [],
        nextStart: ["isolatedPorts"],
      });
      assert.doesNotMatch(await virsh("net-dumpxml", name, "--inactive"), /<port/);
    }
    const bridge = { name: `${name}-2`, mode: "macvtap" as const, devices: ["lo"], isolatedPorts: true };
    await refused(call(server, "create_network", bridge), "NetworkMismatch");
  },
});

Deno.test({
  name: "networkXml() and nicXml() write what libvirt's own schema allows, of every kind",
  ignore,
  fn: async (t) => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-schema-" });
    const validate = async (kind: "network" | "domain", text: string) => {
      await Deno.writeTextFile(`${folder}/a.xml`, text);
      await run(["virt-xml-validate", `${folder}/a.xml`, kind]); // ends badly when the schema says no
    };
    const bandwidth = {
      inbound: { averageKib: 100, peakKib: 200, burstKib: 50 },
      outbound: { averageKib: 9 },
    };
    const networks: Input<"create_network">[] = [
      {
        name: "a",
        mode: "nat",
        ipv4: { address: "10.5.0.1/24" },
        bandwidth,
        mtu: 1400,
        domain: "x.test",
        isolatedPorts: true,
      },
      { name: "a", mode: "nat", ipv6: { address: "fd05::1/64" }, ipv6Nat: true, devices: ["eth0"] },
      { name: "a", mode: "routed", ipv4: { address: "10.5.0.1/24" }, forwarders: ["9.9.9.9", "fd00::9"] },
      { name: "a", mode: "isolated", dnsHosts: [{ ip: "10.5.0.2", hostnames: ["b", "c"] }] },
      { name: "a", mode: "open", ipv4: { address: "10.5.0.1/24" } },
      { name: "a", mode: "bridge", bridge: "br0" },
      ...(["bridge", "private", "vepa", "passthrough"] as const).map((macvtapMode) => (
        { name: "a", mode: "macvtap" as const, devices: ["eth0", "eth1"], macvtapMode }
      )),
      { name: "a", mode: "openvswitch", bridge: "ovs0" },
      { name: "a", mode: "openvswitch", bridge: "ovs0", vlan: { tags: [5] } },
      { name: "a", mode: "openvswitch", bridge: "ovs0", vlan: { tags: [5, 6, 7], native: 6 } },
      { name: "a", mode: "openvswitch", bridge: "ovs0", vlan: { tags: [5], trunk: true } },
      { name: "a", mode: "sriov", devices: ["eth0"] },
      { name: "a", mode: "sriov", devices: ["eth0"], vlan: { tags: [5] } },
    ];
    try {
      await assert.rejects(validate("network", "<network><name>a</name><vlan><tag/></vlan></network>"));
      for (const network of networks) {
        const { name: _, mode, ...more } = network;
        await t.step(
          `${mode} ${JSON.stringify(more)}`,
          () => validate("network", renderXml(networkXml(network))),
        );
      }
      const plugs = [
        { type: "network", name: "default" },
        { type: "bridge", name: "br0" },
        { type: "direct", name: "eth0" },
        { type: "user", name: "slirp" },
        { type: "user", name: "passt" },
      ] as const;
      for (const source of plugs) {
        await t.step(`a card: ${source.type} ${source.name}`, () => {
          const nic = nicXml({
            source,
            mac: "52:54:00:00:00:01",
            model: "virtio",
            ...(source.type !== "user" &&
              { filter: "clean-traffic", filterAddresses: ["10.0.0.1", "fd00::1"] }),
          });
          return validate(
            "domain",
            String(markup`<domain type='qemu'><name>a</name><memory>65536</memory>
<os><type arch='x86_64'>hvm</type></os><devices>`) + renderXml(nic) + "</devices></domain>",
          );
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "A static route of a network takes its subnet, also while that is stopped",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using routed = await networkName("routes");
    await using own = await networkName("onroute");
    const net = await freeSubnet(server);
    const file = await Deno.makeTempFile({ prefix: "kvmm-test-route-" });
    try {
      await Deno.writeTextFile(
        file,
        String(markup`<network><name>${routed.name}</name><ip address='${net}.1' prefix='24'/>
<ip family='ipv6' address='fd3e:8a11:7c56:1::1' prefix='64'/>
<route address='10.199.0.0' prefix='16' gateway='${net}.9'/>
<route family='ipv6' address='fd3e:8a11:7c57::' prefix='48' gateway='fd3e:8a11:7c56:1::9'/></network>`),
      );
      await virsh("net-define", file);
    } finally {
      await Deno.remove(file);
    }
    const shown = await until("the network", () => found(server, routed.name), { seconds: 10 });
    assert.deepEqual(shown.routes, ["10.199.0.0/16", "fd3e:8a11:7c57::/48"]);
    for (
      const subnet of [{ ipv4: { address: "10.199.7.1/24" } }, {
        ipv6: { address: "fd3e:8a11:7c57:5::1/64" },
      }]
    ) {
      await refused(
        call(server, "create_network", { name: own.name, mode: "isolated", ...subnet }),
        "NetworkOverlaps",
        new RegExp(`a static route of the network ${routed.name}`),
      );
    }
  },
});

Deno.test({
  name: "a network with the name of another page has its own",
  ignore,
  fn: async () => {
    await using server = await readyServer({ uri: "test:///default" });
    for (const name of ["new", "topology"]) {
      await call(server, "create_network", { name, mode: "isolated" });
      const response = await fetch(server.url + networkHref(name), { headers: testerHeaders(server.url) });
      assert.match(await response.text(), new RegExp(`<bdi>${name}</bdi>`));
    }
  },
});

Deno.test({
  name: "networks whose names have signs of addresses in them have the pages that links lead to",
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const server = undo.use(await readyServer());
    const own = await testName("signs");
    undo.defer(() => removeFiles(own));
    await Deno.mkdir(filesOf(own), { recursive: true });
    const file = `${filesOf(own)}/network.xml`;
    for (
      const [index, signs] of [";a&b+c@d,e:=f$g", "#1?x", "%", "%41", "%2Fx", "ü'q\"<i>", "\\w|p"].entries()
    ) {
      const name = `${own}${signs}`;
      await Deno.writeTextFile(
        file,
        String(markup`<network><name>${name}</name><bridge name='kvmmsg${index}'/></network>`),
      );
      await virsh("net-define", file);
      undo.defer(async () => void await virsh("net-undefine", name));
      await until(`the network ${name}`, () => found(server, name));
      const response = await fetch(server.url + networkHref(name), { headers: testerHeaders(server.url) });
      const html = await response.text();
      assert.equal(response.status, 200, name);
      assert.match(html, new RegExp(`<bdi>${own}`), name);
    }
  },
});
