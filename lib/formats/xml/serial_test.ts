import assert from "node:assert/strict";
import { serialLine } from "./serial.ts";

const domain = (devices: string) => `<domain><devices>${devices}</devices></domain>`;

Deno.test("serialLine() tells what libvirt would open", () => {
  assert.equal(serialLine(domain("")), "none");
  assert.equal(serialLine(domain("<channel type='unix'/>")), "none");
  assert.equal(serialLine(domain("<serial type='pty'/><console type='pty'/>")), "ready");
  assert.equal(serialLine(domain("<serial type='unix'/>")), "ready");
  assert.equal(serialLine(domain("<serial type='file'/><console type='file'/>")), "elsewhere");
  assert.equal(serialLine(domain("<console type='tcp'/><serial type='pty'/>")), "elsewhere");
});
