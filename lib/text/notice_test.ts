import assert from "node:assert/strict";
import { answerWarnings, type Notice, noticeCookie, noticeIn } from "./notice.ts";

const valueOf = (cookie: string) => cookie.split(";", 1)[0]!.split("=", 2)[1];

Deno.test("a notice comes back out of its cookie, whatever its name is", () => {
  for (const name of ["web-2", "a;b=c, d", 'quoted "x" <b>', "ü ☃", "x=1; Path=/; Domain=evil"]) {
    const notice: Notice = {
      is: "done",
      word: "delete_vm",
      name,
      in: undefined,
      disks: 3,
      waits: "all",
      entryId: "e-1",
      task: undefined,
      warnings: [`The backup ${name} no longer copies it.`],
    };
    const cookie = noticeCookie(notice);
    assert.equal(cookie.split(";").length, 4, "a name adds no attribute");
    assert.deepEqual(noticeIn(valueOf(cookie)), notice);
  }
});

Deno.test("noticeIn() takes nothing but notices, and links nothing but tasks", () => {
  assert.equal(noticeIn(undefined), null);
  for (
    const value of ["", "x", "%7B", "%E0%A4", encodeURIComponent('{"is":"evil","word":"x"}'), "null", "7"]
  ) {
    assert.equal(noticeIn(value), null, value);
  }
  const linked = noticeIn(
    valueOf(noticeCookie({ is: "started", word: "clone_vm", task: "https://evil.test" })),
  );
  assert.equal(linked?.task, undefined);
  assert.equal(noticeIn(encodeURIComponent('{"is":"done","word":"x","waits":"<b>"}'))?.waits, undefined);
  assert.match(noticeCookie(null), /Max-Age=0/);
});

Deno.test("a long name is cut, so that the cookie is kept", () => {
  assert.ok(noticeCookie({ is: "done", word: "x", name: "☃".repeat(5000) }).length < 2000);
});

Deno.test("answerWarnings(): sentences and findings, a few and bounded; nothing of an answer without", () => {
  assert.deepEqual(answerWarnings({ warnings: ["a", { field: "f", code: "c", message: "b" }] }), ["a", "b"]);
  for (const none of [null, undefined, "x", {}, { warnings: [] }, { warnings: 3 }]) {
    assert.equal(answerWarnings(none), undefined, JSON.stringify(none));
  }
  const many = answerWarnings({
    warnings: Array.from({ length: 50 }, (_, n) => `${n}\n${"x".repeat(5000)}`),
  });
  assert.equal(many?.length, 4);
  assert.equal(many![3], "… (+47)");
  for (const each of many!) assert.ok(each.length <= 301 && !each.includes("\n"), each);
});

Deno.test("a cookie has the warnings that it has room for, and gives sentences alone", () => {
  const name = "☃".repeat(100), latin = ["a", "b", "c"].map((each) => each.repeat(300));
  const countOf = (warnings: string[]) => {
    const cookie = noticeCookie({ is: "done", word: "x", name, in: name, warnings });
    assert.ok(cookie.length <= 4000, String(cookie.length));
    return noticeIn(valueOf(cookie))?.warnings?.length;
  };
  assert.deepEqual([countOf(latin), countOf(latin.map(() => "☃".repeat(300)))], [3, 0]);
  const forged = encodeURIComponent(JSON.stringify({ is: "done", word: "x", warnings: [{ a: 1 }, "b", 7] }));
  assert.deepEqual(noticeIn(forged)?.warnings, ["b"]);
});
