/** Answers line by line. */
import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Content } from "../dispatch.ts";
import { jsonLinesResponse, wantsLines } from "./lines.ts";

const parsed = (text: string) => text.trim().split("\n").map((line) => JSON.parse(line));

Deno.test("linesOf() tells what comes, then the result; a failure after that is the last line", async () => {
  const good = await jsonLinesResponse(async ({ tell }: Content) => {
    tell!({ stdout: "a" });
    await Promise.resolve();
    tell!({ stderr: "b\n" });
    return { exitCode: 3 };
  });
  assert.deepEqual(parsed(await good.text()), [{ stdout: "a" }, { stderr: "b\n" }, {
    result: { exitCode: 3 },
  }]);
  const bad = await jsonLinesResponse(({ tell }: Content) => {
    tell!({ stdout: "a" });
    return Promise.reject(new ContractError("GuestSilent"));
  });
  assert.equal(parsed(await bad.text())[1].error.code, "GuestSilent");
});

Deno.test("linesOf() refuses by its status what has not begun", async () => {
  await assert.rejects(jsonLinesResponse(() => Promise.reject(new ContractError("VmNotRunning"))), {
    code: "VmNotRunning",
  });
});

Deno.test("linesOf() has who hangs up end it, and keeps no more than it may for who is slow", async () => {
  let wasEnded = false;
  const answer = await jsonLinesResponse(async ({ tell, gone }: Content) => {
    tell!({ stdout: "a" });
    await new Promise<void>((resolve) => gone!.addEventListener("abort", () => resolve()));
    wasEnded = gone!.aborted;
    tell!({ stdout: "not heard" });
  });
  await answer.body!.cancel();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(wasEnded);
  const piece = "x".repeat(1024 * 1024);
  const slow = await jsonLinesResponse(({ tell }: Content) => {
    for (let n = 0; n < 20; n++) tell!({ stdout: piece });
    return Promise.resolve(null);
  });
  const told = parsed(await slow.text());
  assert.ok(told.length <= 10, `${told.length}`);
  assert.equal(told.at(-1).lost, 20 - (told.length - 1));
});

Deno.test("wantsLines() goes by the Accept header alone", () => {
  const of = (accept: string) => wantsLines(new Request("http://h/", { headers: { accept } }));
  assert.deepEqual([of("application/x-ndjson"), of("text/html, application/x-ndjson;q=1"), of("*/*")], [
    true,
    true,
    false,
  ]);
});
