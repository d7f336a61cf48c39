import assert from "node:assert/strict";
import { join } from "node:path";
import { longestFirst } from "./plan.ts";
import { digestOf, SLOW_PROOFS } from "./slow_proofs.ts";
import { slowest } from "./slowest.ts";

Deno.test("longestFirst() puts what was never measured first, then the longest", () => {
  const durations = { "a": 1, "b": 30, "c": 30 };
  assert.deepEqual(longestFirst(["a", "c", "new", "b"], durations), ["new", "b", "c", "a"]);
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

Deno.test("every slow proof's files and sources are there", async () => {
  for (const proof of Object.values(SLOW_PROOFS)) assert.match(await digestOf(proof), /^[0-9a-f]{64}$/);
});

Deno.test("digestOf() changes with a source, a name and the test, not with a test beside a source", async () => {
  const project = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const proof = { files: ["slow_test.ts"], sources: ["ffi", "main.ts"] };
  try {
    await Deno.mkdir(join(project, "ffi"));
    const write = (name: string, text: string) => Deno.writeTextFile(join(project, name), text);
    for (const name of ["slow_test.ts", "main.ts", "ffi/a.ts", "ffi/a_test.ts"]) await write(name, "1");
    const seen = [await digestOf(proof, project)];
    for (const name of ["slow_test.ts", "main.ts", "ffi/a.ts", "ffi/b.ts"]) {
      await write(name, "2");
      seen.push(await digestOf(proof, project));
    }
    assert.equal(new Set(seen).size, seen.length);
    await write("ffi/a_test.ts", "2");
    assert.equal(await digestOf(proof, project), seen.at(-1));
    await Deno.remove(join(project, "ffi"), { recursive: true });
    await assert.rejects(digestOf(proof, project), /ffi cannot be read/);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
