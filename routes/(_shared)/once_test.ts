import assert from "node:assert/strict";
import { onlyOnce } from "./once.ts";

/** Sends forms, and says which were carried out. */
function forms(status: (text: string) => number = () => 303) {
  const done: string[] = [];
  const send = async (text: string, holder = "ann", delayMs = 0) => {
    const request = new Request("http://here/do/x", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: text,
    });
    return await onlyOnce(request, holder, async () => {
      done.push(`${holder}: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return new Response(`${text} ${done.length}`, { status: status(text) });
    });
  };
  return { done, send };
}
const text = async (answer: Promise<Response>) => await (await answer).text();

Deno.test("onlyOnce() carries a double-click out once, and gives both the same answer", async () => {
  const { done, send } = forms();
  const first = send("a=1", "ann", 20), second = send("a=1");
  assert.deepEqual(await Promise.all([text(first), text(second)]), ["a=1 1", "a=1 1"]);
  assert.equal(await text(send("a=1")), "a=1 1", "also a moment later");
  assert.equal(await text(send("a=1", "bob")), "a=1 2", "another person's is another");
  assert.deepEqual(done, ["ann: a=1", "bob: a=1"]);
});

Deno.test("onlyOnce() carries on, off and on out as three", async () => {
  const { done, send } = forms();
  for (const each of ["c=on", "c=off", "c=on"]) await send(each);
  assert.deepEqual(done, ["ann: c=on", "ann: c=off", "ann: c=on"]);
});

Deno.test("onlyOnce() asks once more after a refusal: what refused it may have changed", async () => {
  const { done, send } = forms(() => 403);
  for (const each of ["d=1", "d=1"]) await send(each);
  assert.equal(done.length, 2);
});
