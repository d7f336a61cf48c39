import assert from "node:assert/strict";
import { screenOf } from "../formats/vga/testing.ts";
import {
  type BootLook,
  type BootState,
  bootVerdict,
  FAULT_MS,
  isSameScreen,
  LEAST_READ_BYTES,
  lookAtScreen,
  screenFault,
  STEADY_MS,
} from "./boot_verdict.ts";

const LOGIN = ["Debian GNU/Linux 12 web1 tty1", "", "web1 login:"];
const state = (change: Partial<BootState>): BootState => ({
  at: 60_000,
  isRunning: true,
  agent: false,
  isAgentExpected: false,
  look: undefined,
  readBytes: LEAST_READ_BYTES,
  ...change,
});
/** The last of looks at one screen after another. */
const looks = (...screens: readonly (readonly [at: number, lines: readonly string[]])[]): BootLook =>
  screens.reduce<BootLook | undefined>(
    (before, [at, lines]) => lookAtScreen(screenOf(lines), at, before),
    undefined,
  )!;

Deno.test("bootVerdict() believes an agent, and without one a screen that stays", () => {
  assert.deepEqual(bootVerdict(state({ agent: true })), { state: "passed", by: "agent" });
  const look = looks([0, []], [10_000, LOGIN], [10_000 + STEADY_MS, [...LOGIN, "_"]]);
  assert.deepEqual(bootVerdict(state({ at: look.at, look })), { state: "passed", by: "screen" });
  assert.equal(bootVerdict(state({ at: look.at - 1, look })).state, "waiting");
});

Deno.test("bootVerdict() waits for an agent that answered when the copy was made", () => {
  const look = looks([0, LOGIN], [STEADY_MS, LOGIN]);
  assert.deepEqual(bootVerdict(state({ look, isAgentExpected: true })), {
    state: "waiting",
    reason: "its guest agent did not answer, as it did when the copy was made",
  });
});

Deno.test("bootVerdict() takes no blank screen, none of firmware alone, and none that goes on", () => {
  const reason = (change: Partial<BootState>) => {
    const verdict = bootVerdict(state(change));
    assert.equal(verdict.state, "waiting");
    return verdict.state === "waiting" ? verdict.reason : "";
  };
  assert.match(reason({ look: looks([0, []], [50_000, ["_"]]) }), /blank/);
  assert.match(reason({ look: looks([0, LOGIN], [50_000, LOGIN]), readBytes: 512 }), /hardly anything/);
  const rolling = looks([0, ["one"]], [59_000, Array<string>(20).fill("systemd[1]: Started something new.")]);
  assert.match(reason({ look: rolling }), /did not come to rest/);
  assert.match(reason({}), /could not be seen/);
});

Deno.test("bootVerdict() fails once firmware, boot loader or kernel gave up, or the VM stopped", () => {
  for (
    const line of [
      "No bootable device.",
      "Boot failed: not a bootable disk",
      "grub rescue> ",
      "[    1.9] Kernel panic - not syncing: VFS: Unable to mount root fs",
      "(initramfs) _",
      "You are in emergency mode. After logging in, type",
    ]
  ) {
    const lines = ["SeaBIOS (version 1.16.2)", line];
    const look = looks([0, lines], [FAULT_MS, lines]);
    assert.deepEqual(bootVerdict(state({ at: FAULT_MS, look })), {
      state: "failed",
      reason: `its screen says: ${line.trim()}`,
    });
    assert.equal(bootVerdict(state({ at: FAULT_MS - 1, look })).state, "waiting");
  }
  const gone = looks([0, ["Boot failed: not a bootable disk"]], [5000, LOGIN], [FAULT_MS, LOGIN]);
  assert.equal(bootVerdict(state({ at: FAULT_MS, look: gone })).state, "waiting");
  assert.deepEqual(bootVerdict(state({ isRunning: false, agent: true })), {
    state: "failed",
    reason: "the VM stopped by itself",
  });
});

Deno.test("screens are read in text mode and on a frame buffer; a few pixels make no other screen", () => {
  for (const cellWidth of [8, 9]) {
    assert.equal(screenFault(screenOf(["", "No bootable device."], { cellWidth })), "No bootable device.");
  }
  assert.equal(screenFault(screenOf(LOGIN)), undefined);
  assert.equal(isSameScreen(screenOf(LOGIN), screenOf([...LOGIN, "_"])), true);
  assert.equal(isSameScreen(screenOf(LOGIN), screenOf(LOGIN, { rows: 24 })), false);
  assert.equal(isSameScreen(screenOf(LOGIN), screenOf(Array<string>(25).fill("x".repeat(80)))), false);
});
