/** One command, every door: REST path, uniform door, UNIX socket, command line. */
import assert from "node:assert/strict";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { CommandLine, type Said } from "../testbed/command_line.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, checkOutput, known, readyServer } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

/** `kvm-manager call …`, as a person runs it. */
function cli(server: TestServer, args: readonly string[], stdin?: string): Promise<Said> {
  return new CommandLine({}).run(["call", ...args, "--socket", server.socket], stdin);
}

Deno.test({
  name: "Every door gives the same answer and the same error",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "doors", guest: false });
    await using server = await readyServer();
    await known(server, vm.uuid);
    const shown = await call(server, "get_vm", { vmId: vm.uuid });
    const rest = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${server.url}/api/v1${path}`, {
        method,
        ...(body !== undefined &&
          { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      return { status: response.status, body: await response.json(), headers: response.headers };
    };

    await t.step("REST", async () => {
      assert.deepEqual((await rest("GET", `/vms/${vm.uuid}`)).body, shown);
      const missing = await rest("GET", "/vms/nobody");
      assert.equal(missing.status, 404);
      const text = "VM not found: nobody";
      assert.deepEqual(missing.body, { code: "VmNotFound", message: text, details: { vmId: "nobody" } });
      const off = await rest("POST", `/vms/${vm.uuid}/pause`, {});
      assert.deepEqual([off.status, off.body], [409, { code: "VmNotRunning", message: "VM is not running" }]);
      assert.equal((await rest("PUT", `/vms/${vm.uuid}/tags`, { tags: ["rest"] })).status, 200);
      assert.deepEqual((await rest("GET", `/vms/${vm.uuid}`)).body.tags, ["rest"]);
      assert.equal((await rest("PUT", `/vms/${vm.uuid}/tags`, { tags: [], vmId: "other" })).status, 400);
      const wrong = await rest("PATCH", `/vms/${vm.uuid}/tags`, {});
      assert.equal(wrong.status, 405);
      assert.match(wrong.headers.get("allow") ?? "", /PUT/);
      assert.equal((await rest("GET", "/nonsense")).status, 404);
      const limited = await rest("GET", "/activity?limit=1");
      assert.ok(limited.body.length <= 1);
      assert.equal((await rest("GET", "/activity?limit=many")).status, 400);
    });
    await t.step(
      "REST has every read-only command without further input, each as its schema says",
      async () => {
        for (
          const route of REST_ROUTES.filter(({ command, method }) => command.readOnly && method === "GET")
        ) {
          const { required = [] } = route.command.input as { required?: string[] };
          if (required.some((field) => field !== "vmId")) continue;
          const answer = await rest(route.method, route.path.replace("{vmId}", vm.uuid));
          if (answer.status === 200) checkOutput(route.name, answer.body);
          // This machine is off, and has no cloud-init: what needs more says so, in words of its own.
          else {assert(
              route.command.errors.includes(answer.body.code),
              `${route.name}: ${answer.body.message}`,
            );}
        }
      },
    );
    await t.step("the uniform door", async () => {
      const post = (name: string, init: RequestInit) =>
        fetch(`${server.url}/api/v1/commands/${name}`, { method: "POST", ...init });
      const json = { "content-type": "application/json" };
      const cases: [name: string, init: RequestInit, status: number, code: string][] = [
        ["no_such_thing", { body: "{}", headers: json }, 404, "UnknownCommand"],
        ["constructor", { body: "{}", headers: json }, 404, "UnknownCommand"],
        ["get_vm", { body: "{", headers: json }, 400, "InvalidJson"],
        ["get_vm", { body: "{}", headers: { "content-type": "text/plain" } }, 415, "UnsupportedMediaType"],
        ["get_vm", { body: "{}", headers: json }, 400, "InvalidInput"],
        ["get_vms", { body: `{"role":"administrator"}`, headers: json }, 400, "InvalidInput"],
        ["get_vm", { body: "[1]", headers: json }, 400, "InvalidInput"],
        ["get_vm", { body: `{"vmId":"${"x".repeat(2 << 20)}"}`, headers: json }, 413, "BodyTooLarge"],
        [
          "start_vm",
          { body: "{}", headers: { ...json, origin: "http://evil.example" } },
          403,
          "ForeignOrigin",
        ],
        [
          "start_vm",
          { body: "{}", headers: { ...json, "sec-fetch-site": "cross-site" } },
          403,
          "ForeignOrigin",
        ],
      ];
      for (const [name, init, status, code] of cases) {
        const response = await post(name, init);
        const body = await response.json();
        assert.deepEqual([response.status, body.code], [status, code], `${name} ${body.message}`);
      }
    });
    await t.step("the socket is its owner's alone", async () => {
      const { mode } = await Deno.stat(server.socket);
      assert.equal(mode! & 0o777, 0o600);
      using client = Deno.createHttpClient({ proxy: { transport: "unix", path: server.socket } });
      const response = await fetch(`http://localhost/api/v1/vms/${vm.uuid}`, { client });
      assert.deepEqual(await response.json(), await call(server, "get_vm", { vmId: vm.uuid }));
    });
    await t.step("kvm-manager call, with its exit statuses", async () => {
      const found = await cli(server, ["get_vm", JSON.stringify({ vmId: vm.uuid })]);
      assert.deepEqual([found.status, found.err], [0, ""]);
      assert.equal(JSON.parse(found.out).name, vm.name);
      const tags = JSON.stringify({ vmId: vm.uuid, tags: ["cli"] });
      assert.equal((await cli(server, ["set_tags", "-"], tags)).status, 0);
      assert.deepEqual((await call(server, "get_vm", { vmId: vm.uuid })).tags, ["cli"]);
      const [row] = await call(server, "get_activity", { vmId: vm.uuid, limit: 1 });
      assert.deepEqual([row?.action, row?.actor], ["set_tags", "root"]);
      const failures: [args: string[], code: number, text: RegExp][] = [
        [["get_vm", `{"vmId":"nobody"}`], 4, /"VmNotFound"[^]*VM not found: nobody/],
        [["stop_vm", JSON.stringify({ vmId: vm.uuid })], 5, /"VmNotRunning"[^]*VM is not running/],
        [["get_vm", "{}"], 2, /"InvalidInput"/],
        [["no_such_thing"], 2, /"UnknownCommand"/],
        [["get_vm", "{"], 2, /JSON/],
        [[], 2, /give a command's name/],
      ];
      for (const [args, code, text] of failures) {
        const said = await cli(server, args);
        assert.deepEqual([said.status, said.out], [code, ""], args.join(" "));
        assert.match(said.err, text);
      }
    });
    await t.step("kvm-manager call without a server", async () => {
      const gone = { socket: `${server.socket}-gone` } as TestServer;
      const said = await cli(gone, ["get_vms"]);
      assert.deepEqual([said.status, said.out], [3, ""]);
      assert.match(said.err, /"Unreachable"[^]*Is kvm-manager serve running\?/);
    });
    await t.step("OpenAPI has every command", async () => {
      const { body } = await rest("GET", "/openapi.json");
      for (const { route } of Object.values(COMMANDS)) {
        const [method, path] = route.split(" ");
        const paths = Object.entries(body.paths as Record<string, Record<string, unknown>>);
        const entry = paths.find(([name]) => name.endsWith(path!) && name.length - path!.length <= 7);
        assert.ok(entry?.[1][method!.toLowerCase()], route);
      }
    });
  },
});
