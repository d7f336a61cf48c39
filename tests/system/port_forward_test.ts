/** Port forwards with real traffic to a real guest: from outside, from the host, over restarts of everything. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { forwardNames } from "../../agent/network/forwards/names.ts";
import type { Output } from "../../lib/contract/mod.ts";
import { tableOf } from "../../lib/formats/nft/json.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { type TestNetwork, testNetwork } from "../testbed/network.ts";
import { fromHost, type Outside, outside } from "../testbed/outside.ts";
import { exists, ProcessError, run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { removeFiles, removeNetwork } from "../testbed/removal.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { markup } from "../testbed/xml.ts";

const ignore = await requirement("guest", "forwarding") !== null;

type Forward = Output<"add_port_forward">;

/** A data folder whose forwards are gone from the kernel in the end, whatever the test left. */
async function dataFolder(): Promise<AsyncDisposable & { path: string }> {
  const name = await testName("forwards");
  const path = `${filesOf(name)}/data`;
  await Deno.mkdir(path, { recursive: true });
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      const { table, out, mark } = forwardNames(path);
      const gone = async (...argv: string[]) => {
        try {
          await run(argv);
          return true;
        } catch (error) {
          if (error instanceof ProcessError) return false; // it was gone already, as it should be
          throw error;
        }
      };
      await gone("nft", "delete", "table", "inet", table);
      await gone("nft", "delete", "table", "netdev", table);
      for (const family of ["-4", "-6"]) {
        while (await gone("ip", family, "rule", "delete", "fwmark", String(mark), "lookup", String(mark)));
      }
      await gone("ip", "link", "delete", "dev", out);
      await removeFiles(name);
    },
  };
}

/** Every table of the kernel's packet filter that is not ours, without counts. */
async function others(dataDir: string): Promise<string> {
  const { table } = forwardNames(dataDir);
  const listing = JSON.parse(await run(["nft", "-j", "list", "ruleset"])) as {
    nftables: Record<string, { name?: string; table?: string }>[];
  };
  const foreign = listing.nftables.filter((object) => {
    const [kind, value] = Object.entries(object)[0]!;
    return (kind === "table" ? value.name : value.table) !== table;
  });
  return tableOf(JSON.stringify({ nftables: foreign }));
}

/** Tables, devices, rules and routes of ours in the kernel. */
async function ours(dataDir: string): Promise<string[]> {
  const { table, out, mark } = forwardNames(dataDir);
  const tables = (await run(["nft", "list", "tables"])).split("\n").filter((line) =>
    line.endsWith(` ${table}`)
  );
  const rules = [...await ipRules("-4"), ...await ipRules("-6")].filter((line) =>
    line.includes(`fwmark 0x${mark.toString(16)}`)
  );
  return [...tables, ...rules, ...(await exists(`/sys/class/net/${out}`) ? [out] : [])];
}

const ipRules = async (family: string) => (await run(["ip", family, "rule", "list"])).split("\n");

/** Runs a shell line in the guest through its agent, without waiting for its end. */
async function inGuest(vm: TestMachine, line: string): Promise<void> {
  await vm.agent("guest-exec", { path: "/bin/sh", arg: ["-c", line] });
}

/** An echo over UDP in what every Debian has. */
const ECHO = 'socket(S, 2, 2, 17); bind(S, pack("S n a4 x8", 2, $ARGV[0], "")) or die; ' +
  "while (1) { my $from = recv(S, my $data, 9000, 0); send(S, $data, 0, $from) if defined $from }";

/** Makes the guest answer: over HTTP with the caller's address and the port that was called, over UDP with an echo. */
async function serve(
  vm: TestMachine,
  { subnet }: TestNetwork,
  tcp: readonly number[],
  udp: readonly number[],
): Promise<void> {
  // Busybox writes IPv4 as [::ffff:192.0.2.1], IPv6 as [2001:db8::1]. What begins like an answer is passed on as it is.
  const peer = "#!/bin/sh\nfrom=${REMOTE_ADDR#[}\nfrom=${from#::ffff:}\n" +
    'printf "HTTP/1.0 200 %s at %s\\r\\n\\r\\n" "${from%]}" "$AT"\n';
  const perl = (await run(["which", "perl"])).trim();
  const libraries = [...(await run(["ldd", perl])).matchAll(/=> (\/\S+) \(/g)].map((match) => match[1]!);
  const files = new Map<string, string | Uint8Array<ArrayBuffer>>([
    ["/www/cgi-bin/peer", peer],
    ["/echo.pl", ECHO],
  ]);
  for (const path of [perl, ...libraries]) files.set(path, await Deno.readFile(path));
  const fetched = new Set<string>();
  const source = Deno.serve({ hostname: `${subnet}.1`, port: 0, onListen() {} }, ({ url }) => {
    const path = new URL(url).pathname;
    fetched.add(path);
    return new Response(files.get(path) ?? null, { status: files.has(path) ? 200 : 404 });
  });
  try {
    const fetchAll = [...files.keys()].map((path) => {
      const url = `http://${subnet}.1:${source.addr.port}${path}`;
      return `mkdir -p ${path.slice(0, path.lastIndexOf("/") + 1)} && wget -q -O ${path}.new ${url} && ` +
        `chmod 755 ${path}.new && mv ${path}.new ${path}`;
    });
    await inGuest(
      vm,
      [
        ...fetchAll,
        ...tcp.map((port) => `AT=${port} httpd -p ${port} -h /www`),
        ...udp.map((port) => `(perl /echo.pl ${port} &)`),
      ].join("; "),
    );
    await until("the guest to fetch its programs", () => Promise.resolve(fetched.size === files.size));
  } finally {
    await source.shutdown();
  }
}

const GET = "GET /cgi-bin/peer HTTP/1.0";

/** Waits until a call over TCP is answered, by whom and to whom. */
async function answered(
  who: Pick<Outside, "tcp">,
  host: string,
  port: number,
  wanted: string,
): Promise<void> {
  let last: string | null = null;
  await until(`${wanted} from ${host}:${port}`, async () => {
    last = await who.tcp(host, port, GET);
    return last === `HTTP/1.0 200 ${wanted}`;
  }, { seconds: 40, lastSeen: () => String(last) });
}

/** Waits until a datagram comes back. */
async function echoed(who: Pick<Outside, "udp">, host: string, port: number): Promise<void> {
  const line = `ping ${crypto.randomUUID()}`;
  await until(`an echo from ${host}:${port}`, async () => await who.udp(host, port, line) === line, {
    seconds: 40,
  });
}

/** The address the guest made itself in the network's IPv6. */
async function ipv6Of(vm: TestMachine, { subnet6 }: TestNetwork): Promise<string> {
  return await until("the guest's IPv6 address", async () => {
    const devices = await vm.agent("guest-network-get-interfaces") as {
      "ip-addresses"?: { "ip-address": string }[];
    }[];
    return devices.flatMap((device) => device["ip-addresses"] ?? []).map((each) => each["ip-address"])
      .find((address) => address.startsWith(`${subnet6}:`));
  });
}

/** Free ports of the host, in a row. */
function freePorts(count: number): number {
  const [random] = crypto.getRandomValues(new Uint16Array(1));
  return 20_000 + random! % (10_000 - count);
}

/** Waits until a forward is in a state. */
async function becomes(
  server: TestServer,
  id: string,
  state: Forward["state"],
  fits: (forward: Forward) => boolean = () => true,
): Promise<Forward> {
  let last: unknown;
  return await until(`the forward to be ${state}`, async () => {
    const found = (await call(server, "list_port_forwards")).find((each) => each.id === id);
    last = found;
    return found?.state === state && fits(found) ? found : null;
  }, { seconds: 40, lastSeen: () => JSON.stringify(last) });
}

Deno.test({
  name: "add_port_forward() carries traffic to a machine, and keeps doing so whatever restarts",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("forward", { ipv6: true });
    if (network.mode !== "nat") return console.error("SKIP forwards: this kernel does no NAT");
    await using vm = await testMachine({ purpose: "forward", network, start: true });
    await using data = await dataFolder();
    await using out = await outside();
    const name = network.name;
    let server = await readyServer({ dataDir: data.path });
    // Each step builds on the ones before: after a failure the rest would only wait in vain.
    let isWhole = true;
    const step = async (name: string, fn: () => Promise<void>) => {
      if (isWhole) isWhole = await t.step(name, fn);
    };
    try {
      await known(server, vm.uuid);
      const at = freePorts(64);
      const ids: string[] = [];
      const add = async (input: Omit<Parameters<typeof call<"add_port_forward">>[2] & object, "network">) => {
        const made = await call(server, "add_port_forward", { network: name, ...input });
        ids.push(made.id);
        return made;
      };
      const target = { vmId: vm.uuid };

      await step("a machine without an address yet is waited for", async () => {
        const { id } = await add({ protocol: "tcp", hostPort: at, targetPort: 80, ...target });
        const address = await vm.waitForLease({ seconds: 150 });
        const active = await becomes(server, id, "active");
        assert.equal(active.targetAddress, address);
        assert.equal(active.vmName, vm.name);
      });
      await vm.waitForAgent();
      await serve(vm, network, [80, at + 11, at + 12, 6001], [53, at + 21, 6011]);

      await step("TCP: from outside with the caller's own address, and from the host", async () => {
        await answered(out, out.host, at, `${out.address} at 80`);
        await answered(fromHost, out.host, at, `${out.host} at 80`);
        await answered(fromHost, `${network.subnet}.1`, at, `${network.subnet}.1 at 80`);
        assert.equal(await fromHost.tcp("127.0.0.1", at, GET), null, "127.0.0.1 is not forwarded");
        assert.equal(await out.tcp(`${network.subnet}.10`, 80, GET), null, "only the forwarded port is open");
      });
      await step("a range of TCP ports keeps its numbers, or has them moved", async () => {
        await add({ protocol: "tcp", hostPort: at + 10, hostPortEnd: at + 15, keepAddress: true, ...target });
        await add({ protocol: "tcp", hostPort: at + 30, hostPortEnd: at + 33, targetPort: 6000, ...target });
        await answered(out, out.host, at + 11, `${out.address} at ${at + 11}`);
        await answered(out, out.host, at + 12, `${out.address} at ${at + 12}`);
        await answered(out, out.host, at + 31, `${out.address} at 6001`);
        const address = await vm.waitForLease();
        const kept = new RegExp(`<host mac='${vm.mac}' ip='${address}'/>`);
        assert.match(await virsh("net-dumpxml", name), kept, "its address is a static lease");
      });
      await step("UDP: a single port, a range, and a range that is moved", async () => {
        await add({ protocol: "udp", hostPort: at, targetPort: 53, ...target });
        await add({ protocol: "udp", hostPort: at + 20, hostPortEnd: at + 22, ...target });
        await add({ protocol: "udp", hostPort: at + 40, hostPortEnd: at + 42, targetPort: 6010, ...target });
        await echoed(out, out.host, at);
        await echoed(out, out.host, at + 21);
        await echoed(out, out.host, at + 41);
        await echoed(fromHost, out.host, at);
      });
      await step("an address of the host alone", async () => {
        const { hostAddress } = await add({
          protocol: "tcp",
          hostPort: at + 50,
          targetPort: 80,
          hostAddress: `${network.subnet}.1`,
          ...target,
        });
        assert.equal(hostAddress, `${network.subnet}.1`);
        await answered(out, `${network.subnet}.1`, at + 50, `${out.address} at 80`);
        assert.equal(await out.tcp(out.host, at + 50, GET), null);
      });
      await step("IPv6: from outside with the caller's own address, and from the host", async () => {
        const address = await ipv6Of(vm, network);
        await add({ protocol: "tcp", hostPort: at + 55, targetPort: 80, address });
        await answered(out, out.host6, at + 55, `${out.address6} at 80`);
        await answered(fromHost, out.host6, at + 55, `${out.host6} at 80`);
        assert.equal(await out.tcp(out.host, at + 55, GET), null, "a target of IPv6 has no port of IPv4");
        assert.equal(await fromHost.tcp("::1", at + 55, GET), null, "::1 is not forwarded");
        assert.equal(await out.tcp(address, 80, GET), null, "only the forwarded port is open");
      });
      await step("a machine of the same network reaches it through the host", async () => {
        await using other = await testMachine({ purpose: "hairpin", network, start: true });
        const address = await other.waitForLease({ seconds: 150 });
        await other.waitForAgent();
        assert.notEqual(address, await vm.waitForLease());
        await inGuest(
          other,
          `wget -q -O /dev/console http://${out.host}:${at}/cgi-bin/peer && echo hairpin-ok >/dev/console`,
        );
        await until("the other machine's answer", async () => (await other.serial()).includes("hairpin-ok"), {
          seconds: 30,
          lastSeen: async () => (await other.serial()).slice(-300),
        });
      });
      await step("it stays over a restart of the network", async () => {
        await virsh("net-destroy", name);
        await becomes(server, ids[0]!, "waiting", ({ reason }) => reason?.includes("is not active") === true);
        await virsh("net-start", name);
        // The guest's card lost its bridge with the network: libvirt joins it again on an update of the device.
        const [tap] = /vnet\d+/.exec(await virsh("domiflist", vm.name)) ?? assert.fail("no tap device");
        const [bridge] = /virbr\d+/.exec(await virsh("net-info", name)) ?? assert.fail("no bridge");
        await run(["ip", "link", "set", "dev", tap, "master", bridge, "up"]);
        await becomes(server, ids[0]!, "active");
        await answered(out, out.host, at, `${out.address} at 80`);
      });
      await step("rules that somebody removed are put back", async () => {
        const { table, out: device } = forwardNames(data.path);
        await run(["nft", "flush", "table", "inet", table]);
        await answered(out, out.host, at, `${out.address} at 80`);
        await run(["nft", "delete", "table", "netdev", table]);
        await run(["ip", "link", "delete", "dev", device]);
        await answered(out, out.host, at, `${out.address} at 80`);
      });
      await step("it goes on while KVM Manager is stopped, and is put back when it starts", async () => {
        await server[Symbol.asyncDispose]();
        await answered(out, out.host, at, `${out.address} at 80`);
        const { table, out: device } = forwardNames(data.path);
        await run(["nft", "delete", "table", "inet", table]);
        await run(["ip", "link", "delete", "dev", device]);
        assert.equal(await out.tcp(out.host, at, GET), null);
        server = await readyServer({ dataDir: data.path });
        await answered(out, out.host, at, `${out.address} at 80`);
        assert.equal((await call(server, "list_port_forwards", { network: name })).length, ids.length);
      });
      await step("it follows the machine to another address", async () => {
        const ip = `${network.subnet}.7`;
        const kept = { ip: await vm.waitForLease() };
        await call(server, "update_network_dhcp", { name, remove: [kept], add: [{ ip, mac: vm.mac! }] });
        await inGuest(vm, "killall udhcpc; udhcpc -i eth0 -b -t 5 -T 1 -S -s /etc/udhcpc.script");
        await becomes(server, ids[0]!, "active", ({ targetAddress }) => targetAddress === ip);
        await answered(out, out.host, at, `${out.address} at 80`);
      });
      await step("switched off it is closed, and open again when switched on", async () => {
        await call(server, "enable_port_forward", { id: ids[0]!, enabled: false });
        assert.equal(await out.tcp(out.host, at, GET), null);
        await call(server, "enable_port_forward", { id: ids[0]!, enabled: true });
        await answered(out, out.host, at, `${out.address} at 80`);
      });
      await step("removal leaves nothing behind", async () => {
        for (const id of ids) await call(server, "remove_port_forward", { id });
        assert.deepEqual(await call(server, "list_port_forwards"), []);
        assert.deepEqual(await ours(data.path), []);
        assert.equal(await out.tcp(out.host, at, GET), null);
      });
    } finally {
      await server[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "add_port_forward() leaves every other table of the packet filter as it was",
  ignore,
  fn: async () => {
    await using network = await testNetwork("tables");
    await using data = await dataFolder();
    await using server = await readyServer({ dataDir: data.path });
    const input = { network: network.name, protocol: "tcp", address: `${network.subnet}.9` } as const;
    // Others on this machine start networks, too: what they change is not ours, and not changed every time.
    for (let attempt = 1;; attempt++) {
      const before = await others(data.path);
      const { id, state } = await call(server, "add_port_forward", { ...input, hostPort: freePorts(1) });
      assert.equal(state, "active");
      assert.equal((await ours(data.path)).length, 4, "two tables, a rule, a device");
      const during = await others(data.path);
      await call(server, "remove_port_forward", { id });
      assert.deepEqual(await ours(data.path), []);
      const after = await others(data.path);
      if (attempt < 5 && (during !== before || after !== before)) continue;
      assert.equal(during, before);
      assert.equal(after, before);
      return;
    }
  },
});

/** A network of another mode than NAT. */
async function isolated(): Promise<AsyncDisposable & { name: string }> {
  const name = await testName("isolated");
  await Deno.mkdir(filesOf(name), { recursive: true });
  const file = `${filesOf(name)}/network.markup`;
  await Deno.writeTextFile(
    file,
    String(markup`<network><name>${name}</name><bridge stp='off' delay='0'/></network>`),
  );
  await virsh("net-define", file);
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeNetwork(name);
      await removeFiles(name);
    },
  };
}

Deno.test({
  name: "add_port_forward() refuses what cannot work, and says why",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("refused");
    await using vm = await testMachine({ purpose: "refused", guest: false });
    await using on = await testMachine({ purpose: "refused", network, guest: false });
    await using data = await dataFolder();
    await using server = await readyServer({ dataDir: data.path });
    await known(server, on.uuid);
    const { name, subnet } = network;
    const port = freePorts(10);
    const add = (input: Record<string, unknown>) =>
      server.call("add_port_forward", {
        network: name,
        protocol: "tcp",
        hostPort: port,
        ...("vmId" in input ? {} : { address: `${subnet}.9` }),
        ...input,
      });
    await t.step("a port that a program of the host has", async () => {
      using taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
      const { port } = taken.addr as Deno.NetAddr;
      const text = new RegExp(
        `^Port ${port}/tcp of the host is used by \\S+ \\(process ${Deno.pid}\\)\\. Choose`,
      );
      await refused(add({ hostPort: port }), "PortInUse", text);
      await refused(add({ hostPort: port - 3, hostPortEnd: port + 3 }), "PortInUse");
      const udp = createSocket("udp6");
      try {
        await new Promise<void>((resolve) => udp.bind(0, () => resolve()));
        await refused(add({ protocol: "udp", hostPort: udp.address().port }), "PortInUse");
      } finally {
        udp.close();
      }
    });
    await t.step("a port that only the loopback has is free", async () => {
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { id } = await add({ hostPort: (taken.addr as Deno.NetAddr).port }) as Forward;
      await call(server, "remove_port_forward", { id });
    });
    await t.step("ports another forward has", async () => {
      const { id } = await add({ hostPort: port, hostPortEnd: port + 3 }) as Forward;
      await refused(
        add({ hostPort: port + 3 }),
        "PortForwardExists",
        `Port ${port}-${
          port + 3
        }/tcp of the host is forwarded to ${subnet}.9 on ${name} already. Choose another one.`,
      );
      const { id: other } = await add({ protocol: "udp", hostPort: port + 3 }) as Forward;
      for (const each of [id, other]) await call(server, "remove_port_forward", { id: each });
    });
    await t.step("ranges, addresses and targets that do not fit", async () => {
      await refused(add({ hostPort: 0 }), "InvalidPort", "Invalid port: 0 (must be 1-65535)");
      await refused(add({ hostPort: 65_536 }), "InvalidPort");
      await refused(add({ hostPort: 9, hostPortEnd: 8 }), "InvalidPortRange");
      await refused(add({ hostPort: 1000, hostPortEnd: 2000, targetPort: 65_000 }), "InvalidPortRange");
      await refused(add({ address: "192.0.2.1" }), "AddressOutsideSubnet");
      await refused(add({ address: `${subnet}.1` }), "AddressOutsideSubnet", /the host's own/);
      await refused(add({ address: `${subnet}.255` }), "AddressOutsideSubnet");
      await refused(add({ address: "::1" }), "AddressOutsideSubnet");
      await refused(
        add({ hostAddress: "192.0.2.1" }),
        "HostAddressNotFound",
        "The host has no address 192.0.2.1",
      );
      await refused(add({ hostAddress: "127.0.0.1" }), "HostAddressNotFound");
      await refused(add({ vmId: vm.uuid }), "VmNotOnNetwork");
      await refused(add({ vmId: crypto.randomUUID() }), "VmNotFound");
      await refused(add({ vmId: on.uuid, address: `${subnet}.9` }), "InvalidInput");
      await refused(add({ network: "kvmm-test-nowhere" }), "NetworkNotFound");
      await refused(server.call("remove_port_forward", { id: "nothing" }), "PortForwardNotFound");
    });
    await t.step("a network that is not NAT", async () => {
      await using other = await isolated();
      await until("the network", async () => {
        const found = await call(server, "get_networks");
        return found.some((each) => each.name === other.name);
      });
      await refused(
        add({ network: other.name }),
        "NetworkNotForwardable",
        `Ports cannot be forwarded to the network ${other.name}: it is isolated, its VMs have no way to answer`,
      );
    });
    assert.deepEqual(await call(server, "list_port_forwards"), []);
    assert.deepEqual(await ours(data.path), [], "a refusal leaves nothing");
  },
});

Deno.test({
  name: "list_port_forwards() shows what lost its target, and what waits for it",
  ignore,
  fn: async () => {
    await using data = await dataFolder();
    await using server = await readyServer({ dataDir: data.path });
    const port = freePorts(4);
    let network: TestNetwork | undefined = await testNetwork("lost");
    try {
      const { name, subnet } = network;
      await using vm = await testMachine({ purpose: "lost", network, guest: false });
      await known(server, vm.uuid);
      const add = (hostPort: number, target: { vmId: string } | { address: string }) =>
        call(server, "add_port_forward", { network: name, protocol: "udp", hostPort, ...target });
      const machine = await add(port, { vmId: vm.uuid });
      assert.equal(machine.state, "waiting");
      assert.equal(machine.reason, `${vm.name} does not run`);
      const fixed = await add(port + 1, { address: `${subnet}.9` });
      assert.equal(fixed.state, "active");
      await vm[Symbol.asyncDispose]();
      const gone = await becomes(server, machine.id, "lost");
      assert.equal(gone.reason, `the VM ${vm.name} is gone`);
      await network[Symbol.asyncDispose]();
      network = undefined;
      const lost = await becomes(server, fixed.id, "lost");
      assert.equal(lost.reason, `the network ${name} is gone`);
      assert.equal((await call(server, "list_port_forwards", { network: name })).length, 2);
      for (const { id } of [machine, fixed]) await call(server, "remove_port_forward", { id });
      assert.deepEqual(await ours(data.path), []);
    } finally {
      await network?.[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "add_port_forward() is undone when the kernel refuses, and so is switching on",
  ignore,
  fn: async () => {
    await using network = await testNetwork("undone");
    await using data = await dataFolder();
    const nft = (await run(["which", "nft"])).trim();
    const folder = `${data.path}/bin`;
    await Deno.mkdir(folder);
    // Refuses every change of a port that ends in 13.
    const script =
      `#!/bin/sh\ncase "$*" in *-f*) rules=$(cat); case "$rules" in *13,*|*13}*) echo "Error: no 13" >&2; ` +
      `exit 1 ;; esac; printf %s "$rules" | ${nft} "$@" ;; *) exec ${nft} "$@" ;; esac\n`;
    await Deno.writeTextFile(`${folder}/nft`, script, { mode: 0o755 });
    const env = { PATH: `${folder}:${Deno.env.get("PATH")}` };
    await using server = await readyServer({ dataDir: data.path, env });
    const input = { network: network.name, protocol: "tcp", address: `${network.subnet}.9` } as const;
    const bad = 40_013;
    await refused(
      server.call("add_port_forward", { ...input, hostPort: bad }),
      "PortForwardFailed",
      "Failed to forward port: Error: no 13",
    );
    assert.deepEqual(await call(server, "list_port_forwards"), []);
    assert.deepEqual(await ours(data.path), []);
    const good = await call(server, "add_port_forward", { ...input, hostPort: 40_014 });
    const off = await call(server, "add_port_forward", { ...input, hostPort: bad, enabled: false });
    assert.equal(off.state, "disabled");
    await refused(server.call("enable_port_forward", { id: off.id, enabled: true }), "PortForwardFailed");
    const states = (await call(server, "list_port_forwards")).map(({ id, state }) => [id, state]);
    assert.deepEqual(states, [[good.id, "active"], [off.id, "disabled"]], "the other one goes on");
    for (const { id } of [good, off]) await call(server, "remove_port_forward", { id });
    assert.deepEqual(await ours(data.path), []);
  },
});

Deno.test({
  name: "delete_network() takes its forwards along",
  ignore,
  fn: async () => {
    await using data = await dataFolder();
    await using network = await testNetwork("gone");
    await using server = await readyServer({ dataDir: data.path });
    const { name, subnet } = network;
    await call(server, "add_port_forward", {
      network: name,
      protocol: "tcp",
      hostPort: freePorts(1),
      address: `${subnet}.9`,
    });
    await call(server, "delete_network", { name });
    assert.deepEqual(await call(server, "list_port_forwards"), []);
    assert.deepEqual(await ours(data.path), []);
  },
});

Deno.test({
  name: "get_port_forwarding() says what is missing: nftables, rights",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("missing");
    const nft = (await run(["which", "nft"])).trim();
    const cases = {
      "install nftables": `exec unshare -m sh -c 'mount --bind /dev/null ${nft} && exec "$@"' sh "$@"`,
      "no rights, run KVM Manager as root (or with CAP_NET_ADMIN)":
        'exec setpriv --bounding-set -net_admin --inh-caps -net_admin -- "$@"',
    };
    const product = await buildBinary();
    for (const [reason, line] of Object.entries(cases)) {
      await t.step(reason, async () => {
        await using data = await dataFolder();
        const binary = `${data.path}/start`;
        await Deno.writeTextFile(
          binary,
          `#!/bin/sh\nset -- ${product} "$@"\n${line}\n`,
        );
        await Deno.chmod(binary, 0o700);
        await using server = await startServer({ binary, dataDir: data.path });
        await until("the network", async () => {
          const found = await server.call("get_networks").catch(() => []);
          return Array.isArray(found) && found.some((each) => each.name === network.name);
        });
        assert.deepEqual(await call(server, "get_port_forwarding"), { available: false, reason });
        await refused(
          server.call("add_port_forward", {
            network: network.name,
            protocol: "tcp",
            hostPort: freePorts(1),
            address: `${network.subnet}.9`,
          }),
          "PortForwardingUnavailable",
          `Port forwarding unavailable: ${reason}`,
        );
      });
    }
  },
});
