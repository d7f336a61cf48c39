import assert from "node:assert/strict";
import {
  type CommandName,
  ContractError,
  type ToolPermissions,
  type ToolRef,
} from "../../lib/contract/mod.ts";
import { delegateFor, delegatorOf } from "../access/delegation.ts";
import { type Principal, principalOf, socketPrincipal } from "../access.ts";
import { Store } from "../store/store.ts";
import { limitedTo, ToolGuard } from "./guard.ts";
import { PROFILE_MIGRATIONS, ProfileRecords, toolId } from "./records.ts";

const limits = (more: Partial<ToolPermissions>): ToolPermissions => ({
  allowed_directories: [],
  allowed_tools: [],
  disallowed_tools: [],
  ...more,
});
const ref = (
  tool_type: ToolRef["tool_type"],
  name: string,
  permissions: ToolPermissions | null,
): ToolRef => ({ name, tool_type, source_scope: null, permissions });

/** Settings of a KVM Manager for programs that use MCP. */
interface McpSwitches {
  enabled: boolean;
  acting: boolean;
  role: "viewer" | "operator" | "administrator";
}

/** A project `p` with the VM `v` and these tools; the agent `bot` is the account `u`. */
async function world(local: readonly ToolRef[], links: Record<string, string> = {}) {
  const mcp: McpSwitches = { enabled: true, acting: true, role: "operator" };
  const folder = await Deno.makeTempDir({ prefix: "kvmm-guard-" });
  const store = new Store(folder, () => {}, [{ name: "profiles", migrations: PROFILE_MIGRATIONS }]);
  store.open();
  const records = new ProfileRecords(store);
  const agent = {
    ...{
      id: toolId("agent", "bot"),
      name: "bot",
      tool_type: "agent",
      description: "",
      enabled: true,
    } as const,
    parameters: [],
    steps: [],
    privateAddresses: false,
    arguments: [],
    account: "u",
  };
  const put = (refs: readonly ToolRef[]) =>
    records.change(() => [records.projects.putting({ id: "p", profile: null, local: refs })]);
  records.change(() => [records.tools.putting(agent)]);
  put(local);
  const guard = new ToolGuard({
    records,
    projectOf: (vmId) => vmId === "v" ? "p" : undefined,
    projectId: (named) => named === "p" || named === "lab" ? "p" : undefined,
    resolved: (path) => Promise.resolve(links[path] ?? path),
    directoryOf: (pool) => ({ own: "/srv/own", other: "/srv/other" })[pool],
    fileOf: (volume) => volume.startsWith("own/") ? `/srv/${volume}` : undefined,
    vmInBin: (entryId) => entryId === "e" ? "v" : undefined,
    isElsewhere: (_command, input) => (input as { host?: string }).host === "far",
    mcp: () => mcp,
  });
  guard.refresh();
  return {
    guard,
    put,
    mcp,
    /** The reason of a refusal; undefined where a call is allowed. */
    refusal: async (principal: Principal, command: CommandName, input: object) => {
      try {
        await guard.check(principal, command, input);
      } catch (error) {
        assert.ok(error instanceof ContractError && error.code === "ToolNotAllowed", String(error));
        return String(error.details?.reason);
      }
    },
    [Symbol.asyncDispose]: async () => {
      store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const bot = principalOf({ name: "bot", userId: "u", door: "api", via: "session" });
const root = socketPrincipal({ uid: 0, name: "root", role: "administrator" });
const NEEDS_NAME = /allowed_tools does not name it/;

Deno.test("Automation accounts: what changes something else is named, also where its input names a VM of the project", async () => {
  await using all = await world([ref("agent", "bot", limits({}))]);
  assert.equal(await all.refusal(bot, "start_vm", { vmId: "v" }), undefined);
  const cases: readonly [CommandName, object][] = [
    ["create_schedule", { name: "s", action: "stop", targets: { vmIds: ["v"], tags: ["any"] } }],
    ["create_vm", { name: "n", cloudInit: { metaData: { vmId: "v" } } }],
    ["create_vm", { name: "n", cloudInit: { metaData: { project: "lab" } } }],
    ["add_port_forward", { network: "default", vmId: "v" }],
    ["silence_alert", { vmId: "v" }],
    ["delete_volume", { pool: "own", volume: "a" }],
  ];
  for (const [command, input] of cases) {
    assert.match(await all.refusal(bot, command, input) ?? "", NEEDS_NAME, command);
  }
  await using named = await world([ref("agent", "bot", limits({ allowed_tools: ["create_schedule"] }))]);
  assert.equal(await named.refusal(bot, ...cases[0]!), undefined);
});

Deno.test("Skills: no step leaves something behind that is not of a VM or the project, whatever its input names", async () => {
  await using own = await world([]);
  const skill = limitedTo(root, "p", ref("skill", "s", null));
  assert.equal(await own.refusal(skill, "set_tags", { vmId: "v", tags: [] }), undefined);
  const cases: readonly [CommandName, object][] = [
    ["create_vm", { name: "n", cloudInit: { metaData: { project: "lab" } } }],
    ["add_port_forward", { network: "default", vmId: "v" }],
    ["create_alert", { name: "a", vmId: "v" }],
  ];
  for (const [command, input] of cases) {
    assert.match(await own.refusal(skill, command, input) ?? "", /beyond the project/, command);
  }
});

Deno.test("Directories: bases of new images, and places on other hosts", async () => {
  const only = limits({ allowed_tools: ["*"], allowed_directories: ["/srv/own"] });
  await using own = await world([ref("agent", "bot", only)]);
  const outside: readonly [CommandName, object][] = [
    ["create_volume", { pool: "own", name: "n", backing: "other/secret.qcow2" }],
    ["attach_disk", { vmId: "v", path: "own/a.qcow2", backingFile: "other/secret.qcow2" }],
    ["create_volume", { pool: "own", name: "n", host: "far" }],
    ["copy_volume_to_host", { pool: "own", volume: "a", toHost: "far", toPool: "own" }],
    ["inspect_foreign_vm", { definition: 'scsi0:0.fileName = "/etc/shadow"' }],
    ["attach_disk", { vmId: "v", path: "/srv/owner/a.qcow2" }],
    // A pool that is not named would be one that is not judged
    ["create_project_vm", { projectId: "p", name: "n" }],
    ["attach_disk", { vmId: "v", create: { sizeGb: 1 } }],
    ["clone_vm", { vmId: "v", name: "n" }],
    ["download_image", { url: "https://example.org/a.qcow2" }],
    ["create_vm", { name: "n" }],
    ["create_vm", { name: "n", disks: [{ sizeGb: 1, pool: "own" }, { sizeGb: 1 }] }],
  ];
  for (const [command, input] of outside) {
    assert.notEqual(await own.refusal(bot, command, input), undefined, JSON.stringify(input));
  }
  const within: readonly [CommandName, object][] = [
    ["create_volume", { pool: "own", name: "n", backing: "own/base.qcow2" }],
    ["create_project_vm", { projectId: "p", name: "n", pool: "own" }],
    ["attach_disk", { vmId: "v", create: { sizeGb: 1, pool: "own" } }],
    ["clone_volume", { pool: "own", volume: "a", name: "b" }],
    ["create_vm", { name: "n", disks: [] }],
    ["create_vm", { name: "n", disks: [{ sizeGb: 1, pool: "own" }, { path: "/srv/own/a.qcow2" }] }],
    ["empty_bin", {}],
    ["guest_freeze", { vmId: "v", mountpoints: ["/", "/home"] }],
    ["list_backup_files", { vmId: "v", filesystem: "/dev/sda1" }],
    ["start_network", { name: "default", host: "far" }],
    ["call_server_tool", {
      project_id: "p",
      tool_name: "t",
      tool: "x",
      arguments: { project: "X", path: "/x" },
    }],
    ["run_skill", { project_id: "p", tool_name: "t", parameters: { project: "X", pool: "other" } }],
  ];
  for (const [command, input] of within) {
    assert.equal(await own.refusal(bot, command, input), undefined, JSON.stringify(input));
  }
});

Deno.test("MCP: its limits hold for what it left to be done later", async () => {
  await using own = await world([ref("skill", "s", null)]);
  const later = (by: Principal): Principal => {
    const app = {
      access: {} as never,
      socketRoleOf: () => "administrator" as const,
      linkedUser: () => undefined,
    };
    const found = delegateFor(app, delegatorOf(by), "schedule:1");
    assert.ok(typeof found !== "string");
    return found;
  };
  const byMcp = { ...root, door: "mcp" } as const, call = ["stop_vm", { vmId: "v" }] as const;
  assert.equal(await own.refusal(root, ...call), undefined);
  assert.equal(await own.refusal(later(root), ...call), undefined);
  assert.match(await own.refusal(byMcp, ...call) ?? "", /mcp kvm-manager is none of them/);
  assert.match(await own.refusal(later(byMcp), ...call) ?? "", /mcp kvm-manager is none of them/);
  for (const command of ["restore_bin_entry", "delete_bin_entry"] as const) {
    assert.match(await own.refusal(byMcp, command, { entryId: "e" }) ?? "", /is none of them/);
    assert.equal(await own.refusal(byMcp, command, { entryId: "other" }), undefined);
  }
  assert.match(await own.refusal(later(later(byMcp)), ...call) ?? "", /mcp kvm-manager is none of them/);
});

Deno.test("Automation accounts: whose permissions change at the same projects are told, once", async () => {
  await using own = await world([ref("agent", "bot", limits({ allowed_tools: ["open_console"] }))]);
  assert.deepEqual(own.guard.refresh(), []);
  own.put([ref("agent", "bot", limits({ allowed_tools: ["get_vm"] }))]);
  assert.deepEqual(own.guard.refresh(), ["u"]);
  assert.deepEqual(own.guard.refresh(), []);
  own.put([ref("agent", "other", null)]);
  assert.deepEqual(own.guard.refresh(), ["u"]);
});

Deno.test("Directories: links in a pool are judged by where they lead, and a call goes on with the paths that were judged", async () => {
  const only = limits({ allowed_tools: ["*"], allowed_directories: ["/srv/own"] });
  const links: Record<string, string> = {
    "/srv/own/link.qcow2": "/etc/shadow",
    "/srv/own/a": "/srv/own/b",
    "/srv/way": "/srv/own/c",
  };
  await using own = await world([ref("agent", "bot", only)], links);
  const outside: readonly [CommandName, object][] = [
    ["attach_disk", { vmId: "v", path: "own/link.qcow2" }],
    ["download_volume", { pool: "own", volume: "link.qcow2" }],
    ["clone_volume", { pool: "own", volume: "link.qcow2", name: "b" }],
    ["create_volume", { pool: "own", name: "n", backing: "own/link.qcow2" }],
    ["create_vm", { name: "n", disks: [{ path: "own/link.qcow2" }] }],
  ];
  for (const [command, input] of outside) {
    assert.match(await own.refusal(bot, command, input) ?? "", /outside of allowed/, JSON.stringify(input));
  }
  const asked = { vmId: "v", path: "/srv/own/a", backingFile: "/srv/way", title: "/srv/own/a" };
  const allowed = await own.guard.check(bot, "attach_disk", asked);
  // Whatever the links lead to from now on
  links["/srv/own/a"] = links["/srv/way"] = "/etc/shadow";
  assert.deepEqual(allowed, { ...asked, path: "/srv/own/b", backingFile: "/srv/own/c" });
  const other = { vmId: "v", tags: ["a"] };
  assert.equal(await own.guard.check(bot, "set_tags", other), other);
  assert.deepEqual(
    await own.guard.check(bot, "guest_exec", { vmId: "v", command: "/srv/own/a" }),
    { vmId: "v", command: "/srv/own/a" },
    "paths in a guest are the guest's",
  );
});

/** A call by a linked KVM Manager, within the limits that the guard there names for its caller. */
const through = ({ guard }: { readonly guard: ToolGuard }, caller: Principal): Principal =>
  principalOf({
    name: "x@far",
    door: "api",
    via: "link",
    rights: caller.rights,
    toldLimits: guard.toldLimits(caller, () => ["v", "w"]),
  });

Deno.test("Linked hosts: what somebody's tools do not allow, they do not allow there, now or later", async () => {
  const only = limits({ allowed_tools: ["get_*", "start_vm", "create_schedule", "attach_disk"] });
  await using near = await world([
    ref("agent", "bot", { ...only, allowed_directories: ["/srv/own"] }),
    ref("mcp", "kvm-manager", only),
  ]);
  // The other one has no tools of its own; its VM `v` may be in a project there or not
  await using far = await world([]);
  const there = through(near, bot), byMcp = through(near, { ...root, door: "mcp" });
  const skill = through(near, limitedTo(root, "p", ref("skill", "s", limits({ allowed_tools: ["*_vm"] }))));
  const cases: readonly [Principal, CommandName, object, RegExp | undefined][] = [
    [there, "start_vm", { vmId: "v" }, undefined],
    [there, "stop_vm", { vmId: "v" }, /does not allow the command/],
    [there, "start_vm", { vmId: "w" }, /no project that it is allowed/],
    [there, "batch_start_vms", { vmIds: ["v", "w"] }, /no project that it is allowed/],
    [there, "create_schedule", { name: "s", action: "stop", targets: { vmIds: ["v"] } }, undefined],
    [there, "create_backup", { name: "b" }, NEEDS_NAME],
    [there, "attach_disk", { vmId: "v", path: "/srv/own/a.qcow2" }, /of another host/],
    [there, "set_vm_project", { vmId: "v", project: "lab" }, /no project that it is allowed/],
    [byMcp, "start_vm", { vmId: "v" }, undefined],
    [byMcp, "stop_vm", { vmId: "v" }, /does not allow the command/],
    [byMcp, "stop_vm", { vmId: "w" }, undefined],
    [byMcp, "restore_bin_entry", { entryId: "e" }, /does not allow the command/],
    [byMcp, "create_volume", { pool: "own", name: "n" }, undefined],
    [skill, "start_vm", { vmId: "v" }, undefined],
    [skill, "set_tags", { vmId: "v", tags: [] }, /does not allow the command/],
    [skill, "create_alert", { name: "a" }, /beyond the project/],
  ];
  for (const [caller, command, input, reason] of cases) {
    const refusal = await far.refusal(caller, command, input), about = `${command} ${JSON.stringify(input)}`;
    if (reason === undefined) assert.equal(refusal, undefined, about);
    else assert.match(refusal ?? "allowed", reason, about);
  }
  assert.deepEqual(near.guard.toldLimits(root, () => ["v"]), [], "who has no limits tells none");
});

Deno.test("Linked hosts: MCP only reads there where the project has tools, and changes nothing where the other one lets it not", async () => {
  await using near = await world([ref("skill", "s", null)]);
  await using far = await world([]);
  const call = ["stop_vm", { vmId: "v" }] as const, read = ["get_vm", { vmId: "v" }] as const;
  const caller = through(near, { ...root, leftByMcp: true });
  assert.match(await far.refusal(caller, ...call) ?? "", /is none of them/);
  assert.equal(await far.refusal(caller, ...read), undefined);
  const now: Principal = { ...through(far, root), door: "mcp" };
  const role = "administrator" as const, on = { enabled: true, acting: true };
  for (
    const [switches, reason] of [
      [on, undefined],
      [{ ...on, acting: false }, /lets no program change anything/],
      [{ ...on, enabled: false }, /lets no program change anything/],
    ] as const
  ) {
    Object.assign(far.mcp, { role }, switches);
    const refusal = await far.refusal(now, ...call);
    if (reason === undefined) assert.equal(refusal, undefined);
    else assert.match(refusal ?? "allowed", reason);
    assert.equal(await far.refusal(now, ...read), undefined);
  }
  Object.assign(far.mcp, on, { role: "viewer" });
  assert.match(await far.refusal(now, ...call) ?? "", /the role viewer by MCP, and this needs operator/);
});
