import assert from "node:assert/strict";
import Type from "typebox";
import { command } from "../contract/command.ts";
import { closed, SECRET, VmId } from "../contract/schema.ts";
// First of all: what the doors are made of is worked out when their modules are loaded
import { COMMANDS } from "../contract/mod.ts";

/** A command of a test's own, in the one table that there is. */
const paint = command({
  summary: "Paint a VM in a colour",
  role: "operator",
  input: closed({
    vmId: VmId,
    colour: Type.String({ maxLength: 16 }),
    key: Type.String({ maxLength: 9, ...SECRET }),
  }),
  output: Type.Object({ colour: Type.String(), key: Type.String(SECRET) }),
  errors: ["VmNotFound"],
  route: "GET /vms/{vmId}/paint",
  cli: ["vm", "paint", "<vmId>"],
  destroys: "the colour that it had",
  readOnly: true,
});
Object.assign(COMMANDS, { paint_vm: paint });
const { matchCommands, describeCommand } = await import("./catalogue.ts");
const { notOffered, rowOf } = await import("./offered.ts");
const { REST_ROUTES } = await import("../contract/rest.ts");
const { openApi } = await import("../openapi/openapi.ts");
const { withoutSecrets } = await import("./secrets.ts");
const { needOf } = await import("../access/permissions.ts");

const all = () => true;

Deno.test("a command that is added to the contract is in MCP, REST, OpenAPI and rights without another line", () => {
  const name = "paint_vm" as never;
  const { commands } = matchCommands("paint", all);
  assert.deepEqual(commands, [
    { name: "paint_vm", summary: "Paint a VM in a colour", reads: true, destroys: "the colour that it had" },
  ]);
  const row = rowOf("paint_vm")!;
  assert.equal(notOffered(row), undefined);
  const told = describeCommand("paint_vm", row);
  assert.equal(told.permission, "vms.operate");
  assert.equal(told.carriedOutBy, "read");
  assert.deepEqual(told.required, ["vmId", "colour", "key"]);
  assert.deepEqual((told.input as { properties: Record<string, unknown> }).properties.key, {
    type: "string",
    maxLength: 9,
    format: "password",
  });
  assert.deepEqual(withoutSecrets(row.output, { colour: "red", key: "k" }), {
    colour: "red",
    key: "(secret)",
  });
  assert.ok(REST_ROUTES.some((each) => each.name === name));
  assert.ok(JSON.stringify(openApi("1")).includes("/vms/{vmId}/paint"));
  assert.deepEqual(needOf(name), { permission: "vms.operate", role: "operator", object: "vm" });
});

Deno.test("matchCommands() finds by name, words of the command line and summary, the best first", () => {
  const first = (query: string) => {
    const [found] = matchCommands(query, all).commands;
    return (found as { name: string }).name;
  };
  assert.equal(first("start vm"), "start_vm");
  assert.equal(first("  DELETE snapshots!! "), "delete_snapshot");
  assert.equal(first("screenshot"), "screenshot_vm");
  assert.deepEqual(matchCommands("xyzzy", all), { commands: [], more: 0 });
  const wide = matchCommands("vm", all);
  assert.equal(wide.commands.length, 25);
  assert.ok(wide.more > 20);
});

Deno.test("matchCommands() names all that is offered to who asks, and nothing else", () => {
  const { commands } = matchCommands("", (name) => name.startsWith("create_"));
  assert.ok(commands.includes("create_vm"));
  assert.ok(!commands.includes("create_token"), "it decides who may do what");
  assert.ok(commands.every((name) => String(name).startsWith("create_")));
  const { commands: every } = matchCommands(" .,- ", all);
  for (
    const never of [
      "sign_in",
      "set_up",
      "create_setup_link",
      "upload_volume",
      "update_mcp_access",
      "stop_mcp",
    ]
  ) {
    assert.ok(!every.includes(never), never);
  }
});
