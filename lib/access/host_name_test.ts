import assert from "node:assert/strict";
import { hasHostName, localhostOf } from "./host_name.ts";

Deno.test("hasHostName() tells names from addresses, however they are written", () => {
  for (
    const at of ["http://localhost:8440", "https://kvm.example", "https://host-1", "https://1.2.3.4.example"]
  ) {
    assert.equal(hasHostName(new URL(at)), true, at);
  }
  for (
    const at of ["http://127.0.0.1:8440", "https://[::1]:8440", "https://0x7f000001", "https://[fe80::1]"]
  ) {
    assert.equal(hasHostName(new URL(at)), false, at);
  }
  assert.equal(localhostOf(new URL("http://127.0.0.1:8440/x")), "http://localhost:8440");
  assert.equal(localhostOf(new URL("https://10.0.0.1/")), "https://localhost");
});
