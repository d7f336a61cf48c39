import assert from "node:assert/strict";
import type { Hang } from "../contract/host.ts";
import { hangAlertText, hangEndText, hangSubject, hangText } from "./message.ts";

const SINCE = Date.UTC(2026, 10, 25, 12, 3, 4);
const hang = (change: Partial<Hang>): Hang => ({
  about: "pool",
  name: "nfs",
  since: SINCE,
  call: "virStoragePoolRefresh",
  remedy: "Check the server.",
  ...change,
});
const VM = hang({ about: "vm", name: "web", vmId: "u", call: "its QEMU process is stopped (SIGSTOP)" });

Deno.test("hangText() names what does not respond, but for a VM, which stands next to it", () => {
  assert.equal(hangText(VM), "Its QEMU process is stopped (SIGSTOP)");
  assert.equal(
    hangText(hang({})),
    "Storage pool nfs: libvirt’s function virStoragePoolRefresh does not return",
  );
  assert.equal(hangSubject(hang({ about: "host", name: "list of all vms" })), "libvirt");
});

Deno.test("hangEndText() has for how long it was", () => {
  assert.equal(hangEndText(VM, 35_400), "it did not respond for 35 s");
  assert.equal(hangEndText(hang({}), 3_900_000), "Storage pool nfs: it did not respond for 1 h 5 m");
});

Deno.test("hangAlertText() has since when, why and what helps", () => {
  assert.equal(
    hangAlertText(VM),
    "Its QEMU process is stopped (SIGSTOP), since 2026-11-25 12:03:04 UTC. Check the server",
  );
});
