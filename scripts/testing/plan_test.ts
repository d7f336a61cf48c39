import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { longestFirst } from "./plan.ts";
import { projectModules } from "./project_modules.ts";
import { SLOW_PROOFS } from "./proofs.ts";
import { MEETING_PLACES, proofDigest, proofSources } from "./slow_proofs.ts";
import { slowest } from "./slowest.ts";

Deno.test("longestFirst() puts what was never measured first, by its size, then the longest", () => {
  const durations = { "a": 1, "b": 30, "c": 30 }, sizes = { "new": 10, "large": 20, "b": 9, "c": 8, "a": 99 };
  assert.deepEqual(longestFirst(["a", "c", "new", "large", "b"], durations, sizes), [
    "large",
    "new",
    "b",
    "c",
    "a",
  ]);
});

Deno.test("slowest() names files with what they waited for", () => {
  const spent = [
    { what: "server", ms: 1500, file: "a" },
    { what: "server", ms: 500, file: "a" },
    { what: "sleep", ms: 3000, file: "a" },
    { what: "virsh", ms: 40, file: "b" },
    { what: "wait", ms: 200, file: "b", of: "a boot" },
    { what: "wait", ms: 300, file: "b", of: "a boot" },
    { what: "wait", ms: 100, file: "a", of: "a boot" },
  ] as const;
  assert.deepEqual(slowest({ b: 1, a: 6 }, spent), [
    "The slowest of 2 files, 7 s in all:",
    "     6.0 s  a  (sleep 3.0 s in 1, server 2.0 s in 2, wait 0.1 s in 1)",
    "     1.0 s  b  (wait 0.5 s in 2)",
    "All went to: sleep 3.0 s in 1, server 2.0 s in 2, wait 0.6 s in 3",
    "The longest waits:",
    "     0.5 s  a boot  (b)",
    "     0.1 s  a boot  (a)",
  ]);
});

const project = await projectModules();

Deno.test("every slow proof's files and sources are there, and lead to no meeting place's modules", async () => {
  for (const proof of Object.values(SLOW_PROOFS)) {
    assert.match(await proofDigest(proof, project), /^[0-9a-f]{64}$/);
    assert.ok(proofSources(proof, project).size < project.modules.size / 3, proof.files.join(" "));
  }
  for (const path of MEETING_PLACES) assert.ok(project.modules.has(path), path);
});

Deno.test("a slow proof depends on what its rooms need", () => {
  const backups = proofSources(SLOW_PROOFS["single files out of a backup"]!, project);
  for (const path of ["agent/guestfs/guestfs.ts", "agent/storage/qemu_img.ts", "tests/testbed/server.ts"]) {
    assert.ok(backups.has(path), path);
  }
  assert.ok(!backups.has("agent/network/dhcp.ts"));
  const kills = proofSources(SLOW_PROOFS["backups under kills"]!, project);
  for (const path of ["agent/storage/qemu_img.ts", "agent/operations/settle.ts"]) {
    assert.ok(kills.has(path), path);
  }
});

Deno.test("proofDigest() changes with a module's code, its room and what is no module, not with a test next to it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const proof = { files: ["tests/slow_test.ts"], rooms: ["ffi"], other: ["guest"] };
  const write = async (name: string, text: string) => {
    await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
    await Deno.writeTextFile(join(folder, name), text);
  };
  const digest = async () => await proofDigest(proof, await projectModules(folder));
  try {
    await write("deno.json", '{ "imports": {} }');
    for (const name of ["main.ts", "fresh.gen.ts", "tests/slow_test.ts", "ffi/a.ts", "ffi/a_test.ts"]) {
      await write(name, "1;");
    }
    await write("guest/main.go", "1");
    const seen = [await digest()];
    for (const name of ["tests/slow_test.ts", "ffi/a.ts", "ffi/b.ts", "guest/main.go"]) {
      await write(name, "2;");
      seen.push(await digest());
    }
    assert.equal(new Set(seen).size, seen.length);
    for (const name of ["ffi/a_test.ts", "main.ts"]) await write(name, "2;");
    assert.equal(await digest(), seen.at(-1));
    await Deno.remove(join(folder, "guest"), { recursive: true });
    await assert.rejects(digest(), /guest cannot be read/);
    await Deno.remove(join(folder, "ffi"), { recursive: true });
    await assert.rejects(digest(), /there is no module in ffi/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tests are made in test files: reports of a stage name the file that calls Deno.test", () => {
  const made = [...project.texts].filter(([path, text]) =>
    !/_test\.tsx?$/.test(path) && /^(?!\s*(\*|\/\/)).*\bDeno\.test\(/m.test(text)
  );
  assert.deepEqual(made.map(([path]) => path), []);
});
