import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { TestClock } from "../testing.ts";
import { GuestLines } from "./guest_lines.ts";

const silence = () => Promise.reject(new ContractError("GuestSilent"));
const codeOf = (asked: Promise<unknown>) =>
  asked.then(() => "answered", (error) => (error as ContractError).code);

Deno.test("GuestLines ask one question at a time, in order; another guest does not wait", async () => {
  const lines = new GuestLines(new TestClock());
  const done: string[] = [];
  const first = Promise.withResolvers<void>();
  const asked = [
    lines.ask("a", async () => {
      await first.promise;
      done.push("a1");
    }),
    lines.ask("a", () => Promise.resolve(done.push("a2"))),
  ];
  await lines.ask("b", () => Promise.resolve(done.push("b")));
  assert.deepEqual(done, ["b"]);
  first.resolve();
  await Promise.all(asked);
  assert.deepEqual(done, ["b", "a1", "a2"]);
});

Deno.test("GuestLines: a silent guest fails all that wait, is left alone for a moment, and asked again then", async () => {
  const clock = new TestClock();
  const lines = new GuestLines(clock);
  let asked = 0;
  const question = () => {
    asked++;
    return silence();
  };
  const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(lines.ask("a", question))));
  assert.deepEqual([new Set(codes), asked], [new Set(["GuestSilent"]), 1]);
  assert.equal(await codeOf(lines.ask("a", () => Promise.resolve())), "GuestSilent");
  assert.equal(await codeOf(lines.ask("a", () => Promise.resolve(), true)), "answered", "a thaw is tried");
  await clock.advance(3000);
  assert.equal(await codeOf(lines.ask("a", () => Promise.resolve())), "answered");
  await codeOf(lines.ask("a", silence));
  lines.forget("a");
  assert.equal(await codeOf(lines.ask("a", () => Promise.resolve())), "answered", "its agent has come again");
});

Deno.test("GuestLines: a question that fails otherwise is its own, and too many are refused", async () => {
  const lines = new GuestLines(new TestClock());
  assert.equal(
    await codeOf(lines.ask("a", () => Promise.reject(new ContractError("GuestRefused")))),
    "GuestRefused",
  );
  const hold = Promise.withResolvers<void>();
  const all = Array.from({ length: 40 }, () => codeOf(lines.ask("a", () => hold.promise)));
  hold.resolve();
  const codes = await Promise.all(all);
  assert.equal(codes.filter((code) => code === "GuestBusy").length, 8);
  assert.equal(await codeOf(lines.ask("a", () => Promise.resolve())), "answered");
});
