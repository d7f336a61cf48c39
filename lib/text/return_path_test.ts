import assert from "node:assert/strict";
import fc from "fast-check";
import { returnPath } from "./return_path.ts";

Deno.test("returnPath() keeps pages of this site with their query", () => {
  for (const to of ["/", "/vms", "/vms?state=running&q=a%2Fb", "/settings/account", "/vms/%C3%A4"]) {
    assert.equal(returnPath(to), to);
  }
});

Deno.test("returnPath() leads to no other site, whatever a browser makes of the path", () => {
  const foreign = [
    ...["//evil", "///evil", "/\\evil", "/\t/evil", "/\n/evil", "/\r\n\\evil", "/\t\\evil", "\t//evil"],
    ...["/.//evil", "/..//evil", "/./\\evil", "/x/..//evil", "/%2e//evil", "/\t.//evil"],
    ...["https://evil", "javascript:alert(1)", "evil", "", " /vms", "/api/v1/events", "/x/../api/v1/vms"],
    ...[undefined, null, 1],
  ];
  for (const to of foreign) assert.equal(returnPath(to), "/", JSON.stringify(to));
});

Deno.test("returnPath() stays on the site for all texts, and does not change its own answer", () => {
  const part = fc.constantFrom(
    "/",
    "\\",
    "\t",
    "\n",
    ".",
    "..",
    "%2e",
    "%09",
    "evil",
    "@",
    ":",
    "?",
    "#",
    " ",
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
    const path = returnPath(`/${parts.join("")}`);
    for (const base of ["", "/kvm"]) {
      assert.equal(new URL(base + path, "https://kvm.example").origin, "https://kvm.example");
    }
    assert.equal(returnPath(path), path);
  }));
});
