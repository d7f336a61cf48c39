/**
 * Each way in, as who may little: REST by command and by address, forms, gRPC by both services, MCP, streams of events. Whatever one
 * refuses, the others refuse as well; what is written is not stretched by names, sizes, or two calls at one moment.
 */
import assert from "node:assert/strict";
import type { Grant, ToolPermissions } from "../../lib/contract/mod.ts";
import { testFolder } from "../testbed/folder.ts";
import { grpcAddresses, GrpcClient } from "../testbed/grpc.ts";
import { Caller, GRPC_LISTEN, KVM, SEED } from "../testbed/grpc_caller.ts";
import { overHttp } from "../testbed/mcp.ts";
import { type Person, personWith } from "../testbed/people.ts";
import { call, ownServer, refusal } from "../testbed/product.ts";
import { CallError, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { parseEvents } from "../testbed/sse.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("grpcClient") !== null;
const EVERYTHING: Grant["on"] = { kind: "everything" };
const [OWN, OTHER] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
const DOMAIN = (name: string, uuid: string) =>
  `<domain type="test"><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>` +
  `<os><type>hvm</type></os></domain>`;

/** A server on libvirt's test driver with two running VMs, of which `own` is in the project. */
async function attacked() {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await testFolder());
  await Deno.writeTextFile(
    `${folder.path}/node.xml`,
    `<node>${DOMAIN("own", OWN!)}${DOMAIN("other", OTHER!)}</node>`,
  );
  const server = undo.use(
    await ownServer({ uri: `test://${folder.path}/node.xml`, args: GRPC_LISTEN }),
  );
  const client = undo.use(await GrpcClient.start());
  const { id: project_id } = await call(server, "create_project", { name: "lab" });
  await call(server, "set_vm_project", { vmId: OWN!, project: "lab" });
  await call(server, "update_mcp_access", {
    enabled: true,
    acting: true,
    callsPerMinute: 6000,
    role: "administrator",
  });
  const kept = undo.move();
  return {
    server,
    client,
    project_id,
    folder: folder.path,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const permissions = (more: Partial<ToolPermissions>): ToolPermissions => ({
  allowed_directories: [],
  allowed_tools: [],
  disallowed_tools: [],
  ...more,
});

/** A call as it is refused at each door: the code, or "done". Each is made with the same rights, and must come to the same. */
async function atEachDoor(
  server: TestServer,
  client: GrpcClient,
  person: Person,
  { command, input, method, rest, seed }: {
    command: string;
    input: Record<string, unknown>;
    method: string;
    /** Address of the API, and its method. */
    rest?: readonly [string, string];
    /** Call of mvirt's service, and its request. */
    seed?: readonly [string, Record<string, unknown>];
  },
): Promise<Record<string, string>> {
  const grpc = new Caller(client, grpcAddresses(server).plain, [[
    "authorization",
    person.headers.authorization!,
  ]]);
  const codeOf = async (asked: Promise<unknown>) => {
    try {
      await asked;
      return "done";
    } catch (error) {
      if (error instanceof CallError) return (error.body as { code: string }).code;
      throw error;
    }
  };
  const byGrpc = async (name: string, request: unknown) => {
    const { error, trailers } = await grpc.raw(name, request);
    return error === undefined ? "done" : trailers?.["kvmm-error-code"] ?? error;
  };
  await using mcp = await overHttp(server, person);
  const byMcp = async (tool: string) => {
    const { isError, content } = await mcp.tool(tool, { command, input });
    return isError === true ? JSON.parse(content[0]!.text!).error as string : "done";
  };
  const at = rest === undefined ? undefined : await person.fetch(rest[1], {
    method: rest[0],
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  return {
    command: await codeOf(person.raw(command, input)),
    ...(at !== undefined && { rest: at.ok ? "done" : (await at.json()).code }),
    grpc: await byGrpc(`${KVM}/${method}`, input),
    ...(seed !== undefined && { seed: await byGrpc(`${SEED}/${seed[0]}`, seed[1]) }),
    plan: await byMcp("plan"),
  };
}

const all = (found: Record<string, string>, code: string) =>
  assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((door) => [door, code])));

Deno.test({
  name: "doors_attacked: what a principal may not do, no door does, and no door shows what it may not see",
  ignore,
  fn: async (t) => {
    await using there = await attacked();
    const { server, client, project_id } = there;
    const kill = (vmId: string) => ({
      command: "force_stop_vm",
      input: { vmId },
      method: "ForceStopVm",
      rest: ["POST", `/api/v1/vms/${vmId}/force-stop`] as const,
      seed: ["KillVm", { id: vmId }] as const,
    });
    const states = async () => (await call(server, "get_vms")).map(({ state }) => state);

    await t.step("a viewer", async () => {
      const viewer = await personWith(server, "viewer", [{ role: "viewer", on: EVERYTHING }]);
      all(await atEachDoor(server, client, viewer, kill(OWN!)), "Forbidden");
      assert.deepEqual(await states(), ["running", "running"]);
    });
    await t.step("a member of a project", async () => {
      const member = await personWith(server, "member", [
        { role: "operator", on: { kind: "project", project: project_id } },
      ]);
      all(await atEachDoor(server, client, member, kill(OTHER!)), "VmNotFound");
      for (
        const [command, method, input] of [
          ["set_quota", "SetQuota", { projectId: project_id, vms: 100 }],
          ["assign_profile", "AssignProfile", { project_id, profile_id: "x" }],
          ["set_tool", "SetTool", {
            tool_type: "skill",
            name: "x",
            steps: [{ command: "get_vms", input: {} }],
          }],
          ["set_vm_project", "SetVmProject", { vmId: OWN, project: "lab" }],
          ["update_mcp_access", "UpdateMcpAccess", { enabled: true }],
        ] as const
      ) {
        const found = await atEachDoor(server, client, member, { command, method, input });
        for (const [door, code] of Object.entries(found)) {
          assert.match(code, /^(Forbidden|McpNotOffered)$/, `${command} ${door} ${code}`);
        }
      }
      assert.deepEqual(await states(), ["running", "running"]);
    });

    const bot = await personWith(server, "bot", [{ role: "operator", on: EVERYTHING }]);
    await call(server, "set_tool", { tool_type: "agent", name: "ci", account: "bot" });
    const ref = { name: "ci", tool_type: "agent", source_scope: null } as const;
    const allow = async (more: Partial<ToolPermissions>) => {
      const tools = await call(server, "get_project_tools", { project_id });
      for (const { name, tool_type } of tools.local_tools) {
        await call(server, "remove_local_tool", { project_id, tool_name: name, tool_type });
      }
      await call(server, "add_local_tool", {
        project_id,
        tool_ref: { ...ref, permissions: permissions(more) },
      });
      await call(server, "add_local_tool", {
        project_id,
        tool_ref: { name: "kvm-manager", tool_type: "mcp", source_scope: null, permissions: null },
      });
    };
    await t.step("an agent, past allowed_tools and disallowed_tools", async () => {
      await allow({ allowed_tools: ["get_*", "list_*", "*_vm*"], disallowed_tools: ["force_stop_vm"] });
      all(await atEachDoor(server, client, bot, kill(OWN!)), "ToolNotAllowed");
      all(await atEachDoor(server, client, bot, kill(OTHER!)), "VmNotFound");
      const batch = { command: "batch_force_stop_vms", input: { vmIds: [OWN] }, method: "BatchForceStopVms" };
      all(await atEachDoor(server, client, bot, batch), "ToolNotAllowed");
      // By another spelling of the id, or of the command
      for (const vmId of [OWN!.toUpperCase(), ` ${OWN}`, `${OWN}\u0000`, "own"]) {
        const { code } = await refusal(bot.raw("force_stop_vm", { vmId }));
        assert.match(code, /^(VmNotFound|InvalidInput|ToolNotAllowed)$/, vmId);
      }
      for (const name of ["FORCE_STOP_VM", "force_stop_vm%00", "force_stop_vm/", "./force_stop_vm"]) {
        const { status } = await bot.fetch(`/api/v1/commands/${name}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ vmId: OWN }),
        });
        assert.ok(status >= 400, `${name} ${status}`);
      }
      const form = await bot.fetch(`/do/force_stop_vm?vmId=${OWN}&to=/`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "confirmed=yes",
      });
      assert.ok(form.status >= 300, `a form by a token: ${form.status}`);
      assert.deepEqual(await states(), ["running", "running"]);
    });
    await t.step("an agent, by a skill that does more than it may, and by tokens of its own", async () => {
      await call(server, "set_tool", {
        tool_type: "skill",
        name: "kill",
        parameters: ["vm"],
        steps: [{ command: "force_stop_vm", input: { vmId: "{{vm}}" } }],
      });
      await allow({ allowed_tools: ["run_skill", "get_vm", "create_token", "create_schedule"] });
      const skill = { name: "kill", tool_type: "skill", source_scope: null, permissions: null } as const;
      await call(server, "add_local_tool", { project_id, tool_ref: skill });
      for (const vm of [OWN!, OTHER!]) {
        const run = bot.raw("run_skill", { project_id, tool_name: "kill", parameters: { vm } });
        assert.equal((await refusal(run)).code, "SkillFailed");
      }
      await bot.raw("create_token", { name: "more", grants: [{ role: "operator", on: EVERYTHING }] }).then(
        async (made) => {
          const { token } = made as { token: string };
          const { status, headers } = await bot.fetch("/api/v1/commands/force_stop_vm", {
            method: "POST",
            body: JSON.stringify({ vmId: OWN }),
            headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          });
          assert.ok(status >= 400, `${status} ${headers.get("content-type")}`);
        },
        (error) => assert.ok(error instanceof CallError, String(error)),
      );
      assert.deepEqual(await states(), ["running", "running"]);
    });
    await t.step("an agent, past allowed_directories", async () => {
      await allow({ allowed_tools: ["*"], allowed_directories: [`${there.folder}/allowed`] });
      await Deno.mkdir(`${there.folder}/allowed`);
      await Deno.symlink("/etc", `${there.folder}/allowed/out`);
      for (
        const path of [
          "/etc/passwd",
          `${there.folder}/allowed/../node.xml`,
          `${there.folder}/allowed/out/passwd`,
          `${there.folder}/allowed2/x`,
          `/proc/self/root/etc/passwd`,
          `${there.folder}/allowed/./out//passwd`,
        ]
      ) {
        const attach = { command: "attach_disk", input: { vmId: OWN, path }, method: "AttachDisk" };
        const found = await atEachDoor(server, client, bot, attach);
        for (const [door, code] of Object.entries(found)) {
          assert.match(code, /^(ToolNotAllowed|InvalidInput)$/, `${path} ${door} ${code}`);
        }
      }
      const xml = DOMAIN("own", OWN!);
      all(
        await atEachDoor(server, client, bot, {
          command: "set_vm_xml",
          input: { vmId: OWN, xml },
          method: "SetVmXml",
        }),
        "Forbidden",
      );
    });
    await t.step("an agent sees no event and no figure of another VM, by any stream or address", async () => {
      await allow({ allowed_tools: ["get_*", "list_*"] });
      const grpc = new Caller(client, grpcAddresses(server).plain, [[
        "authorization",
        bot.headers.authorization!,
      ]]);
      await client.open("bot", grpc.about(`${KVM}/WatchEvents`, { names: ["vm-state-changed"] }), true);
      const stream = await bot.fetch("/api/v1/events", { headers: { accept: "text/event-stream" } });
      assert.equal(stream.status, 200);
      await call(server, "pause_vm", { vmId: OTHER! });
      await call(server, "pause_vm", { vmId: OWN! });
      const { messages } = await client.op("next", { stream: "bot" });
      assert.equal((messages![0]!.vm_state_changed as { vm_id: string }).vm_id, OWN);
      await client.op("cancel", { stream: "bot" });
      for await (const { event, data } of parseEvents(stream.body!)) {
        assert.ok(!JSON.stringify(data).includes(OTHER!), `${event} ${JSON.stringify(data)}`);
        if (event === "vm-state-changed") break;
      }
      await using mcp = await overHttp(server, bot);
      const { resources } = await mcp.client.listResources();
      assert.ok(!JSON.stringify(resources).includes(OTHER!));
      for (const uri of resources.map(({ uri }) => uri).filter((uri) => uri.includes(OWN!))) {
        await assert.rejects(mcp.client.readResource({ uri: uri.replace(OWN!, OTHER!) }), uri);
      }
      for (const vmId of [OWN!, OTHER!]) await call(server, "resume_vm", { vmId });
    });
  },
});

Deno.test({
  name: "doors_attacked: a plan is what it was; names, sizes and two calls at one moment stretch nothing",
  ignore,
  fn: async (t) => {
    await using there = await attacked();
    const { server, client, project_id } = there;
    const ann = await personWith(server, "ann", [{ role: "administrator", on: EVERYTHING }]);
    const grpc = new Caller(client, grpcAddresses(server).plain, [[
      "authorization",
      ann.headers.authorization!,
    ]]);

    await t.step("act takes the digest of its own session, once, and no other input", async () => {
      await using mcp = await overHttp(server, ann);
      await using second = await overHttp(server, ann);
      const plan = async (vmId: string) =>
        String((await mcp.facts("plan", { command: "set_tags", input: { vmId, tags: ["planned"] } })).digest);
      const tagsOf = async (vmId: string) => (await call(server, "get_vm", { vmId })).tags;
      const digest = await plan(OWN!);
      assert.equal((await second.tool("act", { digest })).isError, true, "of another session");
      for (
        const more of [
          { input: { vmId: OTHER, tags: ["x"] } },
          { command: "force_stop_vm" },
          { command: "force_stop_vm", input: { vmId: OTHER } },
        ]
      ) {
        const { isError } = await mcp.tool("act", { digest, ...more });
        // Refused whole, or carried out as it was planned
        assert.ok(isError === true || (await tagsOf(OWN!)).join() === "planned");
        assert.deepEqual(await tagsOf(OTHER!), []);
      }
      const both = await Promise.all([1, 2].map(async () => await mcp.tool("act", { digest })));
      assert.ok(both.filter(({ isError }) => isError !== true).length <= 1);
      const twice = await plan(OWN!);
      const results = await Promise.all([1, 2, 3].map(async () => await mcp.tool("act", { digest: twice })));
      assert.equal(results.filter(({ isError }) => isError !== true).length, 1, "once, also at one moment");
      assert.equal(
        await mcp.refusal("read", { command: "force_stop_vm", input: { vmId: OWN } }) !== "",
        true,
      );
      const states = (await call(server, "get_vms")).map(({ state }) => state);
      assert.deepEqual(states, ["running", "running"]);
    });
    await t.step("names of profiles that lead elsewhere, control characters, and a megabyte", async () => {
      const { id } = await call(server, "create_profile", { name: "good" });
      const names = ["../../etc/x", "a/b", "a\\b", "..", ".", "a\u0000b", "a\u001b[31m", "a\r\nb", "\u202ex"];
      for (const name of names) {
        for (
          const [command, input] of [["create_profile", { name }], ["update_profile", { id, name }]] as const
        ) {
          const { code } = await refusal(ann.raw(command, input));
          assert.match(code, /^(InvalidName|InvalidInput)$/, JSON.stringify(name));
        }
        const [error, code] = await grpc.refused(`${KVM}/CreateProfile`, { name });
        assert.deepEqual([error, /^Invalid(Name|Input)$/.test(code)], ["INVALID_ARGUMENT", true]);
      }
      const large = "x".repeat(1024 ** 2);
      for (
        const [command, input] of [["create_profile", { name: large }], ["get_profile", {
          id: large,
        }]] as const
      ) {
        assert.match(
          (await refusal(ann.raw(command, input))).code,
          /^(InvalidName|InvalidInput|BodyTooLarge)$/,
        );
      }
      assert.match(
        (await grpc.refused(`${KVM}/CreateProfile`, { name: large }))[0],
        /RESOURCE_EXHAUSTED|INVALID/,
      );
      const file = `${there.folder}/p.kvmm-profile.json`;
      for (const name of [...names, "x".repeat(65)]) {
        await Deno.writeTextFile(file, JSON.stringify({ version: 1, name, tool_refs: [] }));
        const { code } = await refusal(ann.raw("import_profile", { input_path: file }));
        assert.match(code, /^(InvalidName|InvalidFormat)$/, JSON.stringify(name));
      }
      for (
        const output_path of [
          `${there.folder}/../x.kvmm-profile.json`,
          `${there.folder}/x.kvmm-profile.json/../../y`,
          `${there.folder}/a\u0000.kvmm-profile.json`,
          `/dev/null/.kvmm-profile.json`,
          `${"a/".repeat(2000)}.kvmm-profile.json`,
        ]
      ) {
        const { code } = await refusal(ann.raw("export_profile", { profile_id: id, output_path }));
        assert.match(code, /^(IoError|InvalidInput)$/, output_path.slice(0, 80));
      }
      assert.deepEqual((await call(server, "list_profiles")).map(({ name }) => name), ["good"]);
    });
    await t.step("a quota that is met from several sides at one moment", async () => {
      const member = await personWith(server, "member", [
        { role: "operator", on: { kind: "project", project: project_id } },
      ]);
      assert.ok(member.userId);
      for (let round = 0; round < 3; round++) {
        const { vms } = (await call(server, "get_project", { projectId: project_id })).usage;
        await call(server, "set_quota", { projectId: project_id, vms: vms + 1 });
        const config = (door: string) => ({
          name: `vm-${round}-${door}`,
          cpuCount: 1,
          memoryMb: 128,
          disks: [],
          nics: [],
          project: "lab",
          allowOvercommit: true,
        });
        await using mcp = await overHttp(server, ann);
        const { digest } = await mcp.facts("plan", { command: "create_vm", input: config("mcp") });
        const outcomes = await Promise.all([
          ann.raw("create_vm", config("rest")).then(() => "done", (error) => (error as CallError).body),
          grpc.raw(`${KVM}/CreateVm`, {
            ...config("grpc"),
            disksIsEmpty: true,
            nicsIsEmpty: true,
            disks: [],
            nics: [],
          })
            .then(({ error, details }) => error === undefined ? "done" : details),
          mcp.tool("act", { digest }).then(({ isError, content }) => isError === true ? content : "done"),
        ]);
        const done = outcomes.filter((outcome) => outcome === "done").length;
        assert.equal(done, 1, JSON.stringify(outcomes));
        for (const outcome of outcomes.filter((each) => each !== "done")) {
          assert.match(JSON.stringify(outcome), /Quota|quota|may have/, JSON.stringify(outcome));
        }
        await until("it to be counted", async () => {
          const { usage } = await call(server, "get_project", { projectId: project_id });
          return usage.vms === vms + 1;
        });
        const made = (await call(server, "get_vms")).filter(({ name }) => name.startsWith(`vm-${round}-`));
        assert.equal(made.length, 1);
      }
    });
  },
});
