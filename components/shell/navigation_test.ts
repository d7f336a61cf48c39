import assert from "node:assert/strict";
import { isAt } from "./navigation.ts";

Deno.test("isAt() holds for the page and what is below it", () => {
  assert(isAt("/vms", { href: "/vms" }));
  assert(isAt("/vms/abc/xml", { href: "/vms" }));
  assert(!isAt("/vmsx", { href: "/vms" }));
  assert(!isAt("/vms", { href: "/" }));
});
