import assert from "node:assert/strict";
import { committedNumbers, numbersSource } from "../../scripts/grpc_numbers.ts";
import { contractFile } from "./contract_file.ts";
import { lostNumbers, numbersFor, updatedEntries, updatedLock } from "./numbers.ts";

const A = { name: "a", wire: "string" }, B = { name: "b", wire: "int64" }, C = { name: "c", wire: "bool" };

Deno.test("numbersFor() counts from 1, and gives what is new the next number", () => {
  const { of, reserved } = numbersFor(["a string"], [B, A]);
  assert.deepEqual([[...of], reserved], [[["a", 1], ["b", 2]], []]);
});

Deno.test("the number of a field that was removed is never given again, not to one of the same name either", () => {
  const removed = updatedEntries(["a string", "b int64"], [A]);
  assert.deepEqual(removed, ["a string", "-b int64"]);
  assert.deepEqual(updatedEntries(removed, [A, C]), ["a string", "-b int64", "c bool"]);
  const back = updatedEntries(removed, [A, B]);
  assert.deepEqual(back, ["a string", "-b int64", "b int64"]);
  const { of, reserved } = numbersFor(back, [A, B]);
  assert.deepEqual([of.get("b"), reserved], [3, [{ number: 2, name: "b" }]]);
});

Deno.test("a field of another type has another number", () => {
  const { of, reserved } = numbersFor(["a string", "b int64"], [A, { name: "b", wire: "repeated string" }]);
  assert.deepEqual([of.get("b"), reserved], [3, [{ number: 2, name: "b" }]]);
});

Deno.test("updatedLock() keeps what is gone, and lostNumbers() tells what a lock has lost or moved", () => {
  const before = { M: ["a string", "b int64"], N: ["c bool"] };
  const after = updatedLock(before, new Map([["M", [A]], ["O", [B]]]));
  assert.deepEqual(after, { M: ["a string", "-b int64"], N: ["-c bool"], O: ["b int64"] });
  assert.deepEqual(lostNumbers(before, after), []);
  assert.deepEqual(lostNumbers(before, { M: ["b int64"], N: ["c bool"] }), [
    "M: number 1 was a string, and is b int64",
    "M: number 2 was b int64, and is lost",
  ]);
  assert.deepEqual(
    lostNumbers(after, { ...after, M: ["a string", "b int64"] }).length,
    1,
    "a reserved one stays so",
  );
});

Deno.test("the committed numbers are those of the contract, and the last commit's are all in them", async () => {
  const committed = await committedNumbers();
  assert.equal(await numbersSource(), `${JSON.stringify(committed, null, 2)}\n`, "run deno task manifest");
  const { success, stdout } = await new Deno.Command("git", {
    args: ["show", "HEAD:lib/grpc/field_numbers.json"],
    stderr: "null",
  }).output();
  if (!success) return; // no repository here, or none with the file yet
  assert.deepEqual(lostNumbers(JSON.parse(new TextDecoder().decode(stdout)), committed), []);
});

Deno.test("a field that the contract loses is reserved in the file", async () => {
  const lock = { ...await committedNumbers() };
  lock.StartVmRequest = ["gone_field string", ...lock.StartVmRequest!];
  const message = contractFile(lock).file.messages.find(({ name }) => name.endsWith(".StartVmRequest"))!;
  assert.deepEqual(message.reserved, [{ number: 1, name: "gone_field" }]);
  assert.ok(message.fields.every(({ number }) => number > 1));
});
