/**
 * A linked host that attacks: redirects, heads without end, other types, names with markup and control characters, events of
 * others' VMs. And links in a circle of three, with a viewer of one host.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { ServerResponse } from "node:http";
import { principalOf } from "../../agent/access.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { testFolder } from "../testbed/folder.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { linkable, linkTo } from "../testbed/linked.ts";
import { call } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { delay, until } from "../testbed/wait.ts";

const URI = "test:///default";
const OWN = "ffffffff-0000-4000-8000-000000000001", GOOD = "ffffffff-0000-4000-8000-000000000002";
const MARKUP = `<img src=x onerror=alert(1)>`, CONTROLS = `\u001b[2J\u001b]0;x\u0007\u202e`;
const ESCAPES = [..."\u001b\u0007\u202e"];

const codeOf = (called: Promise<unknown>): Promise<string> =>
  called.then(() => "ok", (error) => {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  });

Deno.test("hostile_answers: redirects, heads, types and events do nothing but fail there", async (t) => {
  const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
  await using here = await appHere([], URI);
  const { api, app } = here, [local] = await api.getVms(), status = await api.getConnectionStatus();
  await using bad = await hostileLink(status);
  await using good = await hostileLink(status);
  bad.said.vms = [{ ...local!, id: OWN, name: "own" }];
  good.said.vms = [{ ...local!, id: GOOD, name: "good" }];
  await api.joinHost({ name: "good", invitation: good.invitation });
  await api.joinHost({ name: "bad", invitation: bad.invitation });
  await until("both to be read", async () => (await api.getVms()).length === 3);

  await step("a redirect is not followed, not to this machine either", async () => {
    let asked = 0;
    const inside = createServer((_request, response) => {
      asked++;
      response.end("[]");
    }).listen(0, "127.0.0.1");
    await once(inside, "listening");
    const location = `http://127.0.0.1:${(inside.address() as AddressInfo).port}/`;
    for (const code of [301, 302, 303, 307, 308]) {
      bad.raw.get_networks = (response) => void response.writeHead(code, { location }).end();
      assert.equal(await codeOf(api.getNetworks({ host: "bad" })), "LinkedHostNonsense", String(code));
    }
    await new Promise((resolve) => inside.close(resolve));
    assert.equal(asked, 0);
  });
  await step(
    "heads of megabytes, statuses that are none, and another protocol end the call alone",
    async () => {
      const written = (text: string) => (response: ServerResponse) => void response.socket!.end(text);
      const answers: Readonly<Record<string, string>> = {
        "one head of 4 MB": `HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(4_000_000)}\r\ncontent-length: 2\r\n\r\n[]`,
        "100,000 heads": `HTTP/1.1 200 OK\r\n${"x-a: b\r\n".repeat(100_000)}content-length: 2\r\n\r\n[]`,
        "no HTTP": "SSH-2.0-OpenSSH_9.2\r\n",
        "a status without a meaning": "HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n[]",
        "two lengths": "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n[]",
        "another protocol": "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n[]",
      };
      for (const [what, text] of Object.entries(answers)) {
        bad.raw.get_networks = written(text);
        const began = performance.now(), code = await codeOf(api.getNetworks({ host: "bad" }));
        assert.ok(["LinkedHostAway", "LinkedHostNonsense"].includes(code), `${what}: ${code}`);
        assert.ok(performance.now() - began < 5000, what);
      }
      assert.equal((await api.listHosts()).find(({ id }) => id === "bad")?.status, "connected");
    },
  );
  await step(
    "a page instead of JSON, and JSON of another shape, are nonsense and shown as text",
    async () => {
      for (
        const [type, body] of [["text/html", `<script>${MARKUP}</script>`], ["application/json", `{"a":1}`]]
      ) {
        bad.raw.get_networks = (response) =>
          void response.writeHead(200, { "content-type": type! }).end(body);
        assert.equal(await codeOf(api.getNetworks({ host: "bad" })), "LinkedHostNonsense");
      }
      delete bad.raw.get_networks;
    },
  );
  await step("events of others' VMs change none of them, and none is handed on", async () => {
    const told: string[] = [];
    using _listening = app.hub.follow((events) =>
      events.forEach(([name, data]) => told.push(`${name} ${JSON.stringify(data)}`))
    );
    for (const vmId of [local!.id, GOOD]) {
      bad.tell("vm-state-changed", { vmId, state: "crashed", previousState: "running" });
      bad.tell("vm-deleted", { vmId });
      bad.tell("vm-updated", { vm: { ...local!, id: vmId, name: "claimed", state: "crashed" } });
      bad.tell("vm-stats-updated", { vmId, stats: { timestamp: 1, cpuUsagePercent: 99, memoryUsedMb: 1 } });
    }
    bad.tell("hosts-changed", {});
    bad.tell("alert-fired", { incident: { id: 1, vmId: GOOD, title: "claimed" }, more: 0 });
    bad.tell("activity", { id: 1, vmId: GOOD, text: "claimed" });
    bad.tell("vm-state-changed", { vmId: OWN, state: "paused", previousState: "running" });
    await until("its own", async () => (await api.getVms()).find(({ id }) => id === OWN)?.state === "paused");
    const states = (await api.getVms()).map(({ id, name, state, host }) => `${id} ${name} ${state} ${host}`);
    for (const vm of [local!, { ...local!, id: GOOD, name: "good", host: "good" }]) {
      assert.ok(states.includes(`${vm.id} ${vm.name} ${local!.state} ${vm.host}`), states.join("\n"));
    }
    const claimed = told.filter((line) => line.includes(GOOD) || line.includes(local!.id));
    assert.deepEqual(claimed, []);
    assert.deepEqual(told.filter((line) => /^(alert-fired|activity) .*claimed/.test(line)), []);
  });
});

Deno.test("hostile_answers: names with markup and control characters are text on pages and in the shell", async () => {
  await using server = await startServer({ uri: URI });
  const [local] = await call(server, "get_vms"), status = await call(server, "get_connection_status");
  await using bad = await hostileLink(status);
  const name = `${MARKUP}${CONTROLS}`;
  bad.said.vms = [{ ...local!, id: OWN, name, tags: [MARKUP], attention: [name], description: name }];
  bad.session.hostname = name.slice(0, 64);
  await call(server, "join_host", { name: "bad", invitation: bad.invitation });
  await until("it to be read", async () => (await call(server, "get_vms")).length === 2);
  for (const path of ["/", "/vms", `/vms/${OWN}`, "/settings/hosts", "/hosts/bad/", "/hosts/bad/networks"]) {
    const page = await (await fetch(server.url + path)).text();
    assert.ok(page.includes("bad"), path);
    assert.equal(page.includes("<img src=x"), false, path);
  }
  const cli = new CommandLine({ KVMM_SOCKET: server.socket });
  for (
    const args of [["vm", "list"], ["vm", "show", OWN], ["host", "list"], [
      "network",
      "list",
      "--host",
      "bad",
    ]]
  ) {
    const { out, err } = await cli.run(args);
    assert.ok((out + err).length > 0, args.join(" "));
    assert.deepEqual(ESCAPES.filter((each) => (out + err).includes(each)), [], args.join(" "));
  }
});

/** libvirt's test driver with one VM of its own. */
const NODE = (uuid: string, name: string) =>
  `<node><domain type="test"><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>` +
  `<os><type>hvm</type></os></domain></node>`;

Deno.test("hostile_answers: three hosts in a circle show no VM twice, tell nothing in circles, and give no right of another", async () => {
  await using folder = await testFolder();
  const node = async (name: string) => {
    await Deno.writeTextFile(`${folder.path}/${name}.xml`, NODE(crypto.randomUUID(), name));
    return `test://${folder.path}/${name}.xml`;
  };
  await using a = await linkable(await node("a"));
  await using b = await linkable(await node("b"));
  await using c = await linkable(await node("c"));
  await linkTo(a, b, { name: "b" });
  await linkTo(b, c, { name: "c" });
  await linkTo(c, a, { name: "a" });
  const all = [["a", a, "b"], ["b", b, "c"], ["c", c, "a"]] as const;
  for (const [own, at, next] of all) {
    await until("it to be read", async () => (await at.api.getVms()).length === 2);
    assert.deepEqual((await at.api.getVms()).map(({ name }) => name).toSorted(), [own, next].toSorted());
    assert.deepEqual((await at.api.listHosts()).map(({ foreignVms }) => foreignVms), [[], []]);
  }
  // One change, told once on the two that list the VM, and then silence
  const told = all.map(() => [] as string[]);
  using events = new DisposableStack();
  all.forEach(([, at], n) =>
    events.use(at.app.hub.follow((each) => each.forEach(([name]) => told[n]!.push(name))))
  );
  const vm = (await b.api.getVms()).find(({ name }) => name === "b")!;
  await a.api.setTags({ vmId: vm.id, tags: ["round"] });
  await delay(5000);
  const updates = told.map((names) => names.filter((name) => name === "vm-updated").length);
  assert.ok(updates[0]! >= 1 && updates[0]! <= 2 && updates[1]! >= 1 && updates[1]! <= 2, String(updates));
  assert.equal(updates[2], 0, "it is not told past the host that reads it");
  const more = told.map((names) => names.filter((name) => name === "hosts-changed").length);
  assert.deepEqual(more, [0, 0, 0], "hosts are not read in circles");

  const viewer = principalOf({
    name: "ann",
    door: "api",
    via: "session",
    rights: [[{ permissions: permissionsOf("viewer"), on: { kind: "host", host: "local" } }]],
  });
  const does = (command: Parameters<typeof a.app.dispatch>[0], input: object) =>
    codeOf(a.app.dispatch(command, input, viewer));
  const seen = await a.app.dispatch("get_vms", {}, viewer) as { name: string }[];
  assert.deepEqual(seen.map(({ name }) => name), ["a"]);
  const hosts = await a.app.dispatch("list_hosts", {}, viewer) as { id: string }[];
  assert.deepEqual(hosts.map(({ id }) => id), ["local"]);
  assert.equal(await does("get_vm", { vmId: vm.id }), "VmNotFound");
  // The same as for an id that no host has
  const unknown = await does("pause_vm", { vmId: crypto.randomUUID() });
  assert.equal(await does("pause_vm", { vmId: vm.id }), unknown);
  assert.notEqual(unknown, "ok");
  assert.notEqual(await does("get_networks", { host: "b" }), "ok");
  assert.notEqual(await does("get_host_stats", { host: "b" }), "ok");
});
