/**
 * Profiles on real libvirt: the seed's commands with their errors, what automation accounts, MCP and skills may do by them at each
 * door, hooks, files, and what becomes of it when profiles, projects and accounts go.
 */
import assert from "node:assert/strict";
import type { CommandName, Input, ToolPermissions, ToolRef } from "../../lib/contract/mod.ts";
import { testMachine } from "../testbed/machine.ts";
import { overHttp } from "../testbed/mcp.ts";
import { type Person, personWith } from "../testbed/people.ts";
import { call, known, ownServer, refusal, refused, shows } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const EVERYTHING = { kind: "everything" } as const;

const limits = (allowed: string[], more: Partial<ToolPermissions> = {}): ToolPermissions => ({
  allowed_directories: [],
  allowed_tools: allowed,
  disallowed_tools: [],
  ...more,
});
const ref = (
  tool_type: ToolRef["tool_type"],
  name: string,
  permissions: ToolPermissions | null = null,
): ToolRef => ({
  name,
  tool_type,
  source_scope: null,
  permissions,
});

/** A profile with tools, at a project. */
async function profileAt(
  server: TestServer,
  project_id: string,
  name: string,
  tool_refs: ToolRef[],
): Promise<string> {
  const { id } = await call(server, "create_profile", { name });
  await call(server, "update_profile", { id, tool_refs });
  await call(server, "assign_profile", { project_id, profile_id: id });
  return id;
}

Deno.test({
  name: "The seed's commands answer in its shapes, and are refused with its codes",
  ignore,
  fn: async (t) => {
    await using server = await ownServer();
    const folder = await Deno.makeTempDir({ prefix: "kvmm-profiles-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const { id: project_id } = await call(server, "create_project", { name: "lab" });
    const made = await call(server, "create_profile", { name: "nightly" });
    const { id } = made;
    const named = await fetch(`${server.url}/api/v1/profiles/nightly`, {
      headers: testerHeaders(server.url),
    });
    assert.equal((await named.json()).id, id, "by its name, as a port forward's id is not");
    const tool_ref = ref("agent", "ci", limits(["start_vm"]));

    await t.step("created, changed, shown", async () => {
      assert.deepEqual(Object.keys(made), [
        ...["id", "name", "description", "tool_count", "project_count", "created_at", "updated_at"],
      ]);
      assert.match(made.id, /^[0-9a-f]{8}-/);
      assert.equal(new Date(made.created_at).toISOString(), made.created_at);
      assert.equal(made.description, null);
      const changed = await call(server, "update_profile", { id, description: "d", tool_refs: [tool_ref] });
      assert.deepEqual([changed.profile.tool_count, changed.sync_result.affected_projects], [1, 0]);
      const details = await call(server, "get_profile", { id });
      assert.deepEqual(details.tool_refs, [tool_ref]);
      assert.deepEqual(
        (await call(server, "update_profile", { id, description: null })).profile.description,
        null,
      );
      assert.deepEqual((await call(server, "list_profiles")).map(({ name }) => name), ["nightly"]);
    });

    await t.step("assigned: its project, its tools, and how many a change reaches", async () => {
      const assigned = await call(server, "assign_profile", { project_id, profile_id: id });
      assert.deepEqual(Object.keys(assigned), ["project_id", "profile_id", "assigned_at"]);
      const { assigned_projects } = await call(server, "get_profile", { id });
      assert.deepEqual(assigned_projects, [{ id: project_id, name: "lab", path: `/projects/${project_id}` }]);
      const { sync_result } = await call(server, "update_profile", { id, name: "nightly-2" });
      assert.equal(sync_result.affected_projects, 1);
      await call(server, "add_local_tool", { project_id, tool_ref: ref("skill", "own") });
      const tools = await call(server, "get_project_tools", { project_id });
      assert.deepEqual(tools.profile, { id, name: "nightly-2" });
      assert.deepEqual(tools.profile_tools.map(({ name, source }) => [name, source]), [["ci", "profile"]]);
      assert.deepEqual(tools.local_tools.map(({ name, source }) => [name, source]), [["own", "local"]]);
    });

    await t.step("a skill's parameters are told with it, once it is defined", async () => {
      const told = async () =>
        (await call(server, "get_project_tools", { project_id })).local_tools.find(({ name }) =>
          name === "own"
        )!
          .parameters;
      assert.equal(await told(), undefined);
      const steps = [{ command: "update_vm", input: { vmId: "{{vm}}", cpu: { count: "{{cpus}}" } } }];
      await call(server, "set_tool", { tool_type: "skill", name: "own", parameters: ["vm", "cpus"], steps });
      assert.deepEqual(await told(), [
        { name: "vm", type: "string", required: true, field: "vmId", is_secret: false },
        { name: "cpus", type: "integer", required: true, field: "cpu.count", is_secret: false },
      ]);
      await call(server, "delete_tool", { tool_type: "skill", name: "own" });
    });

    const none = "00000000-0000-4000-8000-000000000000";
    const output_path = `${folder}/p.kvmm-profile.json`;
    await t.step("exported, previewed, imported", async () => {
      const exported = await call(server, "export_profile", { profile_id: id, output_path });
      assert.equal(exported.size_bytes, (await Deno.stat(output_path)).size);
      const preview = await call(server, "preview_import", { input_path: output_path });
      assert.deepEqual(preview, {
        name: "nightly-2",
        description: null,
        tool_count: 1,
        has_name_collision: true,
        existing_profile_id: id,
        version: 1,
      });
      const imported = await call(server, "import_profile", { input_path: output_path, rename_to: "copy" });
      assert.deepEqual([imported.collision_resolved, imported.imported_from, imported.profile.name], [
        ...[true, output_path, "copy"],
      ]);
      assert.deepEqual((await call(server, "get_profile", { id: imported.profile.id })).tool_refs, [
        tool_ref,
      ]);
      await Deno.copyFile(output_path, `${folder}/seed.tars-profile.json`);
      await call(server, "preview_import", { input_path: `${folder}/seed.tars-profile.json` });
    });

    await t.step("each of the seed's errors", async () => {
      const path = (name: string, text: string) => {
        const at = `${folder}/${name}.kvmm-profile.json`;
        Deno.writeTextFileSync(at, text);
        return at;
      };
      const file = (more: object) => JSON.stringify({ version: 1, name: "n", tool_refs: [], ...more });
      await Deno.mkdir(`${folder}/dir.kvmm-profile.json`);
      await Deno.symlink("/etc/hostname", `${folder}/link.kvmm-profile.json`);
      const cases: [command: CommandName, input: object, code: string][] = [
        ["create_profile", { name: "copy" }, "ProfileNameExists"],
        ["update_profile", { id, name: "copy" }, "ProfileNameExists"],
        ...["", " a", "a\nb", "../x", "..", "a\u202eb", "a\u200f", "x".repeat(65)].flatMap((
          name,
        ): [CommandName, object, string][] => [
          ["create_profile", { name }, "InvalidName"],
          ["update_profile", { id, name }, "InvalidName"],
        ]),
        ["get_profile", { id: none }, "ProfileNotFound"],
        ["get_profile", { id: "__proto__" }, "ProfileNotFound"],
        ["update_profile", { id: none }, "ProfileNotFound"],
        ["delete_profile", { id: none }, "ProfileNotFound"],
        ["assign_profile", { project_id: none, profile_id: id }, "ProjectNotFound"],
        ["assign_profile", { project_id, profile_id: none }, "ProfileNotFound"],
        ["assign_profile", { project_id, profile_id: id }, "ProjectAlreadyAssigned"],
        ["unassign_profile", { project_id: none }, "ProjectNotFound"],
        ["add_local_tool", { project_id: none, tool_ref }, "ProjectNotFound"],
        ["add_local_tool", { project_id, tool_ref: ref("skill", "own") }, "ToolAlreadyExists"],
        ["remove_local_tool", { project_id: none, tool_name: "x", tool_type: "mcp" }, "ProjectNotFound"],
        ["remove_local_tool", { project_id, tool_name: "own", tool_type: "mcp" }, "ToolNotFound"],
        ["get_project_tools", { project_id: none }, "ProjectNotFound"],
        ["export_profile", { profile_id: none, output_path }, "ProfileNotFound"],
        ["export_profile", { profile_id: id, output_path: "/none/p.kvmm-profile.json" }, "IoError"],
        ["export_profile", { profile_id: id, output_path: "/etc/passwd" }, "IoError"],
        ["export_profile", { profile_id: id, output_path: "p.kvmm-profile.json" }, "IoError"],
        ["export_profile", { profile_id: id, output_path: `${folder}/dir.kvmm-profile.json` }, "IoError"],
        ["export_profile", { profile_id: id, output_path: `${folder}/link.kvmm-profile.json` }, "IoError"],
        ["import_profile", { input_path: `${folder}/none.kvmm-profile.json` }, "IoError"],
        ["import_profile", { input_path: "/etc/shadow" }, "IoError"],
        ["import_profile", { input_path: `${folder}/dir.kvmm-profile.json` }, "IoError"],
        ["preview_import", { input_path: `${folder}/../none.kvmm-profile.json` }, "IoError"],
        ["import_profile", { input_path: output_path }, "NameCollision"],
        ["import_profile", { input_path: output_path, rename_to: "copy" }, "NameCollision"],
        ["import_profile", { input_path: path("v2", file({ version: 2 })) }, "VersionUnsupported"],
        ...["{", "[]", "null", file({ version: "1" }), file({ name: 1 }), file({ tool_refs: [{}] })].map((
          text,
          at,
        ): [CommandName, object, string] => [
          "import_profile",
          { input_path: path(`f${at}`, text) },
          "InvalidFormat",
        ]),
        ["preview_import", { input_path: path("b", "{") }, "InvalidFormat"],
        ["preview_import", { input_path: path("large", " ".repeat(1_048_577)) }, "InvalidFormat"],
        [
          "import_profile",
          { input_path: path("twice", file({ tool_refs: [tool_ref, tool_ref] })) },
          "InvalidFormat",
        ],
        ["import_profile", { input_path: path("name", file({ name: "../../etc" })) }, "InvalidName"],
      ];
      for (const [command, input, code] of cases) {
        const asked = server.call(command, input as Input<typeof command>);
        assert.equal((await refusal(asked)).code, code, `${command} ${JSON.stringify(input).slice(0, 200)}`);
      }
      assert.equal(
        (await call(server, "preview_import", { input_path: path("v9", file({ version: 9 })) })).version,
        9,
      );
      assert.equal(
        await Deno.readTextFile(`${folder}/link.kvmm-profile.json`),
        await Deno.readTextFile("/etc/hostname"),
      );
      await call(server, "unassign_profile", { project_id });
      await refused(call(server, "unassign_profile", { project_id }), "NoProfileAssigned");
    });

    await t.step("a tool that is deleted is not there, and can be defined another time", async () => {
      const tool = { tool_type: "skill", name: "gone" } as const;
      const steps = [{ command: "get_vms", input: {} }];
      for (let round = 0; round < 2; round++) {
        await call(server, "set_tool", { ...tool, steps });
        assert.ok((await call(server, "list_tools")).some(({ name }) => name === "gone"));
        await call(server, "delete_tool", tool);
        assert.deepEqual(await call(server, "list_tools"), []);
        await refused(call(server, "delete_tool", tool), "ToolNotFound");
      }
    });

    await t.step("deleted while it is in use: what its tools may do stays", async () => {
      await call(server, "assign_profile", { project_id, profile_id: id });
      assert.deepEqual(await call(server, "delete_profile", { id }), {
        deleted: true,
        converted_projects: 1,
      });
      const tools = await call(server, "get_project_tools", { project_id });
      assert.equal(tools.profile, null);
      assert.deepEqual(tools.local_tools.map(({ name }) => name), ["own", "ci"]);
      assert.deepEqual(tools.local_tools[1]!.permissions, tool_ref.permissions);
      // Two changes at once: both hold, one after the other
      const { id: other } = await call(server, "create_profile", { name: "other" });
      await Promise.all(["one", "two"].map((name) => call(server, "update_profile", { id: other, name })));
      assert.match((await call(server, "get_profile", { id: other })).name, /^(one|two)$/);
      const both = await Promise.allSettled(
        [1, 2].map(() => server.call("create_profile", { name: "same" })),
      );
      assert.deepEqual(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    });
  },
});

Deno.test({
  name: "An automation account does what its agent may, on its project alone, at every door",
  ignore,
  fn: async (t) => {
    await using own = await testMachine({ purpose: "profile-own", guest: false });
    await using other = await testMachine({ purpose: "profile-other", guest: false });
    await using server = await ownServer();
    for (const { uuid } of [own, other]) await known(server, uuid);
    const { id: project_id } = await call(server, "create_project", { name: "lab" });
    await call(server, "set_vm_project", { vmId: own.uuid, project: "lab" });
    const bot = await personWith(server, "ci-bot", [{ role: "operator", on: EVERYTHING }]);
    const root = (await personWith(server, "boss", [{ role: "administrator", on: EVERYTHING }])) as Person;
    const vmId = own.uuid;
    await bot.call("get_vm", { vmId: other.uuid });
    await call(server, "set_tool", { tool_type: "agent", name: "ci", account: "ci-bot" });

    await t.step("without a project it may do nothing", async () => {
      await refused(bot.call("get_vms", {}), "Forbidden");
      await refused(bot.call("get_vm", { vmId }), "Forbidden");
      assert.equal((await bot.call("get_session", {})).name, "ci-bot");
    });

    const id = await profileAt(server, project_id, "nightly", [
      ref(
        "agent",
        "ci",
        limits(["get_*", "list_*", "*_vm", "set_tags"], { disallowed_tools: ["force_stop_vm"] }),
      ),
    ]);
    await t.step("an automation account does on its project what its agent may", async () => {
      assert.deepEqual((await bot.call("get_vms", {})).map((vm) => vm.id), [vmId]);
      await refused(bot.call("get_vm", { vmId: other.uuid }), "VmNotFound");
      await refused(bot.call("start_vm", { vmId: other.uuid }), "VmNotFound");
      await bot.call("start_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "running");
      await refused(
        bot.call("force_stop_vm", { vmId }),
        "ToolNotAllowed",
        /agent ci may not use force_stop_vm/,
      );
      await refused(bot.call("batch_force_stop_vms", { vmIds: [vmId] }), "ToolNotAllowed");
      await refused(bot.call("set_group", { vmId, group: "x" }), "ToolNotAllowed");
      await refused(
        bot.call("create_volume", { pool: "p", name: "v", capacityBytes: 1048576, format: "raw" }),
        "ToolNotAllowed",
      );
      await refused(bot.call("create_token", { name: "t", grants: [] }), "ToolNotAllowed");
      await refused(
        bot.raw("create_schedule", {
          name: "s",
          action: "stop",
          frequency: "daily",
          time: "01:00",
          targets: { vmIds: [vmId] },
        }),
        "ToolNotAllowed",
      );
    });

    await t.step("by REST, by the commands' door and by MCP alike", async () => {
      await call(server, "update_mcp_access", { enabled: true, acting: true, callsPerMinute: 600 });
      const rest = await bot.fetch(`/api/v1/vms/${vmId}/force-stop`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      assert.equal((await rest.json()).code, "ToolNotAllowed");
      await using mcp = await overHttp(server, bot);
      assert.equal(
        await mcp.refusal("plan", { command: "force_stop_vm", input: { vmId } }),
        "ToolNotAllowed",
      );
      assert.equal(
        await mcp.refusal("read", { command: "get_vm", input: { vmId: other.uuid } }),
        "VmNotFound",
      );
    });

    await t.step(
      "MCP on a project that has tools changes nothing, unless one of them is kvm-manager",
      async () => {
        await using mcp = await overHttp(server, root);
        const plan = { command: "set_tags", input: { vmId, tags: ["a"] } };
        assert.equal(await mcp.refusal("plan", plan), "ToolNotAllowed");
        await mcp.data("read", { command: "get_vm", input: { vmId } });
        await mcp.data("plan", { ...plan, input: { vmId: other.uuid, tags: ["a"] } });
        await call(server, "add_local_tool", {
          project_id,
          tool_ref: ref(
            "mcp",
            "kvm-manager",
            limits(["set_tags", "get_vm", "attach_disk"], { allowed_directories: ["/srv/kvmm-none"] }),
          ),
        });
        const digest = String((await mcp.facts("plan", plan)).digest);
        const attach = { command: "attach_disk", input: { vmId, path: "/etc/passwd" } };
        assert.equal(await mcp.refusal("plan", attach), "ToolNotAllowed");
        assert.equal(
          await mcp.refusal("plan", { ...attach, input: { vmId, path: "/srv/kvmm-none/../../etc/passwd" } }),
          "ToolNotAllowed",
        );
        // What was allowed when it was planned is not carried out once it no longer is
        await call(server, "remove_local_tool", { project_id, tool_name: "kvm-manager", tool_type: "mcp" });
        assert.equal(await mcp.refusal("act", { digest }), "ToolNotAllowed");
        assert.deepEqual((await call(server, "get_vm", { vmId })).tags, []);
      },
    );

    await t.step("a local tool goes before that of the profile", async () => {
      await call(server, "add_local_tool", {
        project_id,
        tool_ref: ref("agent", "ci", limits(["get_vm", "force_stop_vm"])),
      });
      await refused(bot.call("set_tags", { vmId, tags: [] }), "ToolNotAllowed");
      await bot.call("force_stop_vm", { vmId });
      await call(server, "remove_local_tool", { project_id, tool_name: "ci", tool_type: "agent" });
      await shows(server, vmId, ({ state }) => state === "stopped");
      await refused(bot.call("force_stop_vm", { vmId }), "ToolNotAllowed");
    });

    await t.step(
      "no user limits an administrator, or themselves; a definition takes fields of its kind alone",
      async () => {
        const invalid = (input: Input<"set_tool">, words: RegExp) =>
          refused(call(server, "set_tool", input), "InvalidInput", words);
        await invalid({ tool_type: "agent", name: "b", account: "boss" }, /administrator/);
        await invalid({ tool_type: "agent", name: "b", url: "https://example.org" }, /has no url/);
        await invalid(
          { tool_type: "mcp", name: "kvm-manager", url: "https://example.org" },
          /needs no definition/,
        );
        await invalid({ tool_type: "mcp", name: "x", url: "file:///etc/passwd" }, /only http and https/);
        await invalid(
          { tool_type: "skill", name: "x", steps: [{ command: "create_user", input: {} }] },
          /cannot be create_user/,
        );
        await invalid(
          { tool_type: "skill", name: "x", steps: [{ command: "run_skill", input: {} }] },
          /runs no skill/,
        );
        await invalid(
          { tool_type: "hook", name: "x", event: "vm-created", program: "/bin/sh" },
          /programs of hooks are off/,
        );
        await refused(
          call(server, "set_tool", { tool_type: "agent", name: "b", account: "none" }),
          "UserNotFound",
        );
        await refused(bot.raw("set_tool", { tool_type: "agent", name: "b", account: "ci-bot" }), "Forbidden");
      },
    );

    await t.step("its profile, its project, its account gone: it may less, never more", async () => {
      await call(server, "delete_profile", { id });
      await refused(bot.call("force_stop_vm", { vmId }), "ToolNotAllowed");
      await bot.call("get_vm", { vmId });
      await call(server, "delete_project", { projectId: project_id });
      await refused(bot.call("get_vm", { vmId }), "Forbidden");
      await call(server, "update_user", { userId: bot.userId, disabled: true });
      await refused(bot.call("get_session", {}), "TokenInvalid");
      await call(server, "delete_user", { userId: bot.userId });
      assert.equal((await call(server, "list_tools")).find(({ name }) => name === "ci")?.account, null);
    });
  },
});

Deno.test({
  name: "A skill runs on its project alone, within its permissions and the rights of who runs it",
  ignore,
  fn: async (t) => {
    await using own = await testMachine({ purpose: "skill-own", guest: false });
    await using other = await testMachine({ purpose: "skill-other", guest: false });
    await using server = await ownServer();
    for (const { uuid } of [own, other]) await known(server, uuid);
    const { id: project_id } = await call(server, "create_project", { name: "lab" });
    await call(server, "set_vm_project", { vmId: own.uuid, project: "lab" });
    const ann = await personWith(server, "ann", [{
      role: "operator",
      on: { kind: "project", project: project_id },
    }]);
    const eve = await personWith(server, "eve", [{
      role: "viewer",
      on: { kind: "project", project: project_id },
    }]);
    await call(server, "set_tool", {
      ...{ tool_type: "skill", name: "mark", parameters: ["vm", "tag"] } as const,
      steps: [
        { command: "set_tags", input: { vmId: "{{vm}}", tags: ["{{tag}}"] } },
        { command: "start_vm", input: { vmId: "{{vm}}" } },
      ],
    });
    await profileAt(server, project_id, "marks", [ref("skill", "mark", limits(["set_tags", "start_vm"]))]);
    const run = (person: Person, vm: string, tag = "a") =>
      person.call("run_skill", { project_id, tool_name: "mark", parameters: { vm, tag } });

    await t.step("run by who may, on the project's VM", async () => {
      assert.deepEqual(await run(ann, own.uuid), { project_id, tool_name: "mark", steps: 2 });
      await shows(server, own.uuid, ({ state, tags }) => state === "running" && tags.includes("a"));
    });
    await t.step("not by who may only look, nor on another VM, also by an administrator", async () => {
      await refused(run(eve, own.uuid), "Forbidden");
      await refused(run(ann, other.uuid), "SkillFailed", /Step 1 \(set_tags\)/);
      await refused(
        call(server, "run_skill", {
          project_id,
          tool_name: "mark",
          parameters: { vm: other.uuid, tag: "a" },
        }),
        "SkillFailed",
      );
      assert.deepEqual((await call(server, "get_vm", { vmId: other.uuid })).tags, []);
    });
    await t.step("a command that the profile does not allow it is not carried out", async () => {
      const { id } = (await call(server, "get_project_tools", { project_id })).profile!;
      await call(server, "update_profile", { id, tool_refs: [ref("skill", "mark", limits(["set_tags"]))] });
      const { message } = await refusal(run(ann, own.uuid, "b"));
      assert.match(message, /Step 2 \(start_vm\) failed: skill mark may not use start_vm/);
    });
    await t.step("values are values: braces, missing and unknown ones", async () => {
      await refused(run(ann, own.uuid, "{{vm}}"), "SkillFailed");
      const ask = (parameters: Record<string, string>) =>
        ann.call("run_skill", { project_id, tool_name: "mark", parameters });
      await refused(ask({ vm: own.uuid }), "InvalidInput", /tag is missing/);
      await refused(ask({ vm: own.uuid, tag: "a", more: "b" }), "InvalidInput", /no parameter/);
      await refused(ann.call("run_skill", { project_id, tool_name: "none" }), "ToolNotFound");
    });
  },
});

Deno.test({
  name: "Hooks run within bounds; one that causes its own event ends by itself",
  ignore,
  fn: async (t) => {
    await using own = await testMachine({ purpose: "hook", guest: false });
    const folder = await Deno.makeTempDir({ prefix: "kvmm-hooks-", dir: "/var/tmp" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    await Deno.chmod(folder, 0o755);
    const said = `${folder}/said`, program = `${folder}/hook`;
    const write = async (path: string, body: string) => {
      await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`);
      await Deno.chmod(path, 0o755);
    };
    await write(program, `cat >> ${said}; echo >> ${said}; echo "$@"; env >> ${said}.env`);
    await write(`${folder}/hangs`, "sleep 600");
    await using server = await ownServer({
      args: ["--hook-programs", folder],
      env: { KVMM_TEST_SECRET: "s3cret" },
    });
    await known(server, own.uuid);
    const { id: project_id } = await call(server, "create_project", { name: "lab" });
    const vmId = own.uuid;
    await call(server, "set_vm_project", { vmId, project: "lab" });
    await profileAt(server, project_id, "hooked", [ref("hook", "told")]);
    const hook = { tool_type: "hook", name: "told", event: "vm-state-changed", enabled: true } as const;
    const actions = async () =>
      (await call(server, "get_activity", { limit: 200 })).filter(({ action }) => action.startsWith("hook-"));

    await t.step("programs elsewhere, behind links, or written by others are refused", async () => {
      await Deno.symlink("/bin/sh", `${folder}/sh`);
      await write(`${folder}/loose`, "true");
      await Deno.chmod(`${folder}/loose`, 0o777);
      for (
        const each of [
          "/bin/sh",
          `${folder}/sh`,
          `${folder}/../x`,
          `${folder}/none`,
          `${folder}/loose`,
          "hook",
        ]
      ) {
        await refused(call(server, "set_tool", { ...hook, program: each }), "InvalidInput", /^.*program/);
      }
    });
    await t.step("a program is run without a shell and without our environment", async () => {
      await call(server, "set_tool", { ...hook, program, arguments: ["$(id)", "; touch /tmp/x"] });
      await call(server, "start_vm", { vmId });
      await until(
        "the hook to run",
        async () => (await actions()).some(({ action }) => action === "hook-run"),
      );
      const body = JSON.parse((await Deno.readTextFile(said)).split("\n")[0]!);
      assert.deepEqual([body.event, body.vm.id, body.project.id], ["vm-state-changed", vmId, project_id]);
      const [{ message = "" } = {}] = await actions();
      assert.match(message ?? "", /\$\(id\) ; touch/);
      assert.ok(!(await Deno.readTextFile(`${said}.env`)).includes("s3cret"));
    });
    await t.step("what comes too often is left out, and said", async () => {
      for (let turn = 0; turn < 8; turn++) {
        await call(server, "pause_vm", { vmId });
        await call(server, "resume_vm", { vmId });
      }
      await until(
        "it to be held",
        async () => (await actions()).some(({ action }) => action === "hook-held"),
      );
      assert.ok((await actions()).filter(({ action }) => action === "hook-run").length <= 11);
    });
    await t.step("a private address takes leave, as for alerts", async () => {
      await call(server, "set_tool", {
        ...hook,
        name: "web",
        url: "http://127.0.0.1:1/secret-path",
        secret: "t0p",
      });
      await call(server, "add_local_tool", { project_id, tool_ref: ref("hook", "web") });
      await call(server, "force_stop_vm", { vmId });
      await until(
        "it to fail",
        async () =>
          (await actions()).some(({ message }) => /hook web failed: .*[Pp]rivate/.test(message ?? "")),
      );
      const shown = JSON.stringify([
        await call(server, "list_tools"),
        await call(server, "get_audit_log", { limit: 200 }),
      ]);
      assert.ok(!shown.includes("t0p") && !shown.includes("secret-path"));
    });
  },
});
