/** Calls that tell line by line. */
import assert from "node:assert/strict";
import { ApiError } from "./api.ts";
import { LINES_TYPE } from "../contract/lines.ts";
import { followCommand, type ToldLine } from "./follow.ts";

/** An answer in these pieces. */
const answer = (pieces: readonly string[], type = LINES_TYPE, status = 200) => () =>
  Promise.resolve(
    new Response(
      new ReadableStream({
        start(controller) {
          for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
          controller.close();
        },
      }),
      { status, headers: { "content-type": type } },
    ),
  );

Deno.test("followCommand() gives lines as they come, however they are cut, and the result", async () => {
  const lines: ToldLine[] = [];
  const result = await followCommand(
    "x",
    {},
    (line) => void lines.push(line),
    answer(['{"stdo', 'ut":"a"}\n{"stderr":"b"}', '\n{"result":{"exitCode":3}}\n']),
  );
  assert.deepEqual([lines, result], [[{ stdout: "a" }, { stderr: "b" }], { exitCode: 3 }]);
});

Deno.test("followCommand() throws what comes as an error, what is refused, and what breaks off", async () => {
  const nothing = () => {};
  const failing = answer(['{"stdout":"a"}\n{"error":{"code":"GuestSilent","message":"m"}}\n']);
  await assert.rejects(followCommand("x", {}, nothing, failing), { code: "GuestSilent", message: "m" });
  const refused = answer(['{"code":"VmNotRunning","message":"off"}'], "application/json", 409);
  await assert.rejects(followCommand("x", {}, nothing, refused), { code: "VmNotRunning" });
  await assert.rejects(followCommand("x", {}, nothing, answer(['{"stdout":"a"}\n'])), {
    code: "Unreachable",
  });
  await assert.rejects(
    followCommand("x", {}, nothing, () => Promise.reject(new TypeError("no network"))),
    (error) => error instanceof ApiError && error.code === "Unreachable",
  );
  const plain = answer(['{"exitCode":0}'], "application/json");
  assert.deepEqual(await followCommand("x", {}, nothing, plain), { exitCode: 0 });
});
