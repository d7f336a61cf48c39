import assert from "node:assert/strict";
import type { Hang } from "../contract/host.ts";
import { formatLately, hangCause, hangLine, hangSpan } from "./words.ts";
import { hangHref, hangOfNetwork, hangOfPool } from "./objects.ts";
import { isSilent } from "./libvirt.ts";
import { formatClock, formatMoment } from "../text/time.ts";

const AT = Date.UTC(2026, 10, 25, 12, 3, 4), HOUR = 3_600_000;

const hang = (about: Hang["about"], name: string): Hang => ({
  about,
  name,
  since: AT,
  call: "virStoragePoolRefresh",
  remedy: "Check the server.",
});

Deno.test("hangCause() names the function, or says what else shows it", () => {
  assert.equal(
    hangCause("virDomainGetBlockInfo"),
    "libvirt’s function virDomainGetBlockInfo does not return",
  );
  assert.equal(
    hangCause("its QEMU process is stopped (SIGSTOP)"),
    "Its QEMU process is stopped (SIGSTOP)",
  );
  assert.equal(hangCause("Libvirtd does not answer."), "Libvirtd does not answer");
  assert.equal(hangCause("statfs"), "statfs does not return");
  assert.equal(hangCause("virtiofsd\nis gone").includes("\n"), false);
});

Deno.test("hangSpan() counts seconds for an hour, then minutes", () => {
  assert.equal(hangSpan(AT, AT - 500), "0:00");
  assert.equal(hangSpan(AT, AT + 125_000), "2:05");
  assert.equal(hangSpan(AT, AT + 2 * HOUR + 300_000), "2 h 5 m");
});

Deno.test("formatLately() leaves the date out of what was today", () => {
  assert.equal(formatLately(AT, AT + HOUR), formatClock(AT));
  assert.equal(formatLately(AT, AT + 30 * HOUR), formatMoment(AT));
});

Deno.test("hangLine() has since when and why", () => {
  assert.equal(
    hangLine({ since: AT, call: "its QEMU process is stopped (SIGSTOP)" }, AT),
    `Not responding since ${formatClock(AT)}: Its QEMU process is stopped (SIGSTOP)`,
  );
});

Deno.test("hangOfPool() finds a pool by its name, and by the file system it is on", () => {
  const hangs = [hang("pool", "nfs"), hang("storage", "/srv/cold"), hang("network", "lan")];
  assert.equal(hangOfPool(hangs, { name: "nfs" })?.about, "pool");
  assert.equal(hangOfPool(hangs, { name: "lan" }), undefined);
  assert.equal(hangOfPool(hangs, { name: "x", path: "/srv/cold/images" })?.name, "/srv/cold");
  assert.equal(hangOfPool(hangs, { name: "x", path: "/srv/colder" }), undefined);
  assert.equal(hangOfNetwork(hangs, "lan")?.about, "network");
  assert.equal(hangOfNetwork(hangs, "nfs"), undefined);
});

Deno.test("hangHref() leads to what has a page", () => {
  assert.equal(hangHref(hang("pool", "a b")), "/storage/a%20b");
  assert.equal(hangHref(hang("network", "lan")), "/networks/lan");
  assert.equal(hangHref({ ...hang("vm", "web"), vmId: "u-1" }), "/vms/u-1");
  assert.equal(hangHref(hang("host", "capabilities")), undefined);
});

Deno.test("isSilent() tells a libvirt that does not answer from one that is not there", () => {
  const is = (error: string | null, status: "disconnected" | "connecting" = "disconnected") =>
    isSilent({ status, error });
  assert(is("Libvirtd accepts connections but does not answer (waited 15 seconds)"));
  assert(is("Libvirtd does not answer."));
  assert(!is("Libvirtd is not running. Please start the service."));
  assert(!is(null));
  assert(!is("Libvirtd does not answer.", "connecting"));
});
