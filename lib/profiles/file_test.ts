import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import { profileFileName, readProfile, readProfileHead, writtenProfile } from "./file.ts";
import { profileName } from "./name.ts";
import { namedIn } from "./about.ts";
import { filledInput, parametersIn, valuesFor } from "./skill.ts";

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ContractError);
    return error.code;
  }
  return "none";
};

Deno.test("Files of profiles: what is written is read; the seed's fields may be left out", () => {
  const profile = {
    name: "a",
    description: null,
    tool_refs: [{
      ...{ name: "ci", tool_type: "agent", source_scope: "user" } as const,
      permissions: { allowed_directories: ["/srv"], allowed_tools: ["get_*"], disallowed_tools: [] },
    }],
  };
  const text = writtenProfile(profile, 0);
  assert.deepEqual(readProfile(text), { version: 1, ...profile });
  assert.match(text, /"exported_at": "1970-01-01T00:00:00.000Z"/);
  const seeds =
    '\ufeff{"version":1,"name":"s","tool_refs":[{"name":"b","tool_type":"mcp","permissions":{}}],"more":1}';
  assert.deepEqual(readProfile(seeds).tool_refs, [{
    name: "b",
    tool_type: "mcp",
    source_scope: null,
    permissions: { allowed_directories: [], allowed_tools: [], disallowed_tools: [] },
  }]);
});

Deno.test("Files of profiles: another version, no profile, and names that lead elsewhere", () => {
  assert.equal(codeOf(() => readProfile('{"version":2,"name":"a"}')), "VersionUnsupported");
  assert.deepEqual(readProfileHead('{"version":2,"name":"a","tool_refs":[1,2]}'), {
    version: 2,
    name: "a",
    description: null,
    tool_count: 2,
  });
  const tool = (name: string) =>
    JSON.stringify({ version: 1, name: "a", tool_refs: [{ name, tool_type: "hook" }] });
  const wrong = [
    "",
    "1",
    "{}",
    '{"version":1.5}',
    '{"version":1,"name":"a"}',
    tool("../x"),
    tool(".."),
    tool("a\u202e"),
  ];
  for (const text of wrong) assert.equal(codeOf(() => readProfile(text)), "InvalidFormat", text);
  assert.equal(profileFileName("../../etc/pass wd"), "etc-pass-wd.kvmm-profile.json");
  assert.equal(profileFileName(".."), "profile.kvmm-profile.json");
});

Deno.test("Names of profiles: two spellings of one name are one", () => {
  assert.equal(profileName("e\u0301"), "\u00e9");
  assert.equal(profileName("__proto__"), "__proto__");
  for (const name of ["", ".", "..", "a/b", "a\\b", "a\n", "\u00a0a", "a\u200b"]) {
    assert.equal(codeOf(() => profileName(name)), "InvalidName", JSON.stringify(name));
  }
});

Deno.test("Skills: values are put in once, as text", () => {
  const step = { command: "set_tags", input: { vmId: "{{vm}}", tags: ["x-{{tag}}"], __proto__: null } };
  assert.deepEqual([...parametersIn([step])], ["vm", "tag"]);
  const values = valuesFor(["vm", "tag"], { vm: "{{tag}}", tag: "$&" });
  assert.deepEqual(filledInput(step, values), { vmId: "{{tag}}", tags: ["x-$&"] });
  assert.equal(codeOf(() => valuesFor(["vm"], {})), "InvalidInput");
  assert.equal(codeOf(() => valuesFor([], { vm: "a" })), "InvalidInput");
});

Deno.test("What a call names: VMs, projects, paths and pools, however deep; a guest's paths are its own", () => {
  const named = namedIn("attach_disk", {
    vmId: "u-1",
    path: "/srv/a.iso",
    create: { pool: "p" },
    targets: { vmIds: ["u-2"] },
    volume: "q/v",
    title: "/no",
    url: "FILE:///etc/passwd",
    project_id: "x",
  });
  assert.deepEqual([...named.vmIds], ["u-1", "u-2"]);
  assert.deepEqual([...named.paths], ["/srv/a.iso", "/etc/passwd"]);
  assert.deepEqual([[...named.pools], [...named.projects], named.hasXml], [["p", "q"], ["x"], false]);
  assert.equal(namedIn("guest_read_file", { vmId: "u", path: "/etc/passwd" }).paths.size, 0);
  assert.ok(namedIn("set_vm_xml", { xml: "<domain/>" }).hasXml);
});
