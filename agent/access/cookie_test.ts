import assert from "node:assert/strict";
import { cookieFor, deviceCookie, deviceIn, type Reached, sessionIn } from "./cookie.ts";

const SECRET = "s".repeat(43), OTHER = "o".repeat(43);

Deno.test("two servers on one host name do not share a session or a device: the port is part of the cookie's name", () => {
  const reached: readonly Reached[] = [
    ...["", "8443", "9443"].map((port) => ({ secure: true, port })),
    ...["", "8443", "9443"].map((port) => ({ secure: false, port })),
  ];
  for (const [make, read] of [[cookieFor, sessionIn], [deviceCookie, deviceIn]] as const) {
    const names = reached.map((each) => make(SECRET, each).split("=")[0]!);
    assert.equal(new Set(names).size, names.length, names.join(" "));
    // A browser sends all of a host's cookies to each port.
    const jar = reached.map((each, at) => make(at === 1 ? SECRET : OTHER, each).split(";")[0]).join("; ");
    assert.equal(read(new Headers({ cookie: jar }), reached[1]!), SECRET);
    assert.equal(read(new Headers({ cookie: jar }), reached[2]!), OTHER);
  }
  assert.match(cookieFor(SECRET, reached[0]!), /^__Host-kvmm=s+; Path=\/; .*Secure$/);
  assert.match(cookieFor(SECRET, reached[1]!), /^__Host-kvmm-8443=/);
});
