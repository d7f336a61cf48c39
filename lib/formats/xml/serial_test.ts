import assert from "node:assert/strict";
import { chosenLine, serialLines } from "./serial.ts";

/** Alias of the line that is opened of a domain with these devices, or the reason why none is. */
function opened(devices: string, wanted?: number): string | undefined {
  const line = chosenLine(serialLines(`<domain><devices>${devices}</devices></domain>`), wanted);
  return typeof line === "string" ? line : line.alias ?? "without a name";
}

Deno.test("chosenLine() takes the first line that can be reached", () => {
  assert.equal(opened(""), "none");
  assert.equal(opened("<channel type='unix'/>"), "none");
  assert.equal(opened("<serial type='pty'/><console type='pty'/>"), "without a name");
  assert.equal(opened("<serial type='unix'><alias name='serial0'/></serial>"), "serial0");
  assert.equal(opened("<serial type='file'/><console type='file'/>"), "elsewhere");
  assert.equal(opened("<console type='pty'><alias name='console0'/></console>"), "console0");
});

Deno.test("chosenLine() takes the line of a number: serial ports first, each of them once", () => {
  const devices =
    "<serial type='file'><alias name='serial0'/></serial><serial type='pty'><alias name='serial1'/></serial>" +
    "<console type='file'><target type='serial' port='0'/><alias name='serial0'/></console>" +
    "<console type='pty'><target type='virtio' port='1'/><alias name='console1'/></console>";
  assert.deepEqual([undefined, 0, 1, 2, 3].map((line) => opened(devices, line)), [
    "serial1",
    "elsewhere",
    "serial1",
    "console1",
    "none",
  ]);
});
