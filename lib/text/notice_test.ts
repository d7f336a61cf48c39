import assert from "node:assert/strict";
import { type Notice, noticeCookie, noticeIn } from "./notice.ts";

const valueOf = (cookie: string) => cookie.split(";", 1)[0]!.split("=", 2)[1];

Deno.test("a notice comes back out of its cookie, whatever its name is", () => {
  for (const name of ["web-2", "a;b=c, d", 'quoted "x" <b>', "ü ☃", "x=1; Path=/; Domain=evil"]) {
    const notice: Notice = {
      ...{ is: "done", word: "delete_vm", name, in: undefined, disks: 3 },
      ...{ entryId: "e-1", task: undefined },
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
  assert.match(noticeCookie(null), /Max-Age=0/);
});

Deno.test("a long name is cut, so that the cookie is kept", () => {
  assert.ok(noticeCookie({ is: "done", word: "x", name: "☃".repeat(5000) }).length < 2000);
});
