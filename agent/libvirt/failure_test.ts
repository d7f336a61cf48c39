import assert from "node:assert/strict";
import { type FailureKind, LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError, errorText } from "../../lib/contract/errors.ts";
import { contractError, isConnectionLost } from "./failure.ts";
import { unavailableText } from "./unavailable.ts";

const mapped = (kind: FailureKind, message: string, code = 1, ...rest: [ErrorCodeOf?, string?]) => {
  const error = contractError(new LibvirtError({ kind, message, code, domain: 10 }), ...rest);
  assert.ok(error instanceof ContractError);
  assert.ok(error.cause instanceof LibvirtError, "the cause is kept for the log");
  return error;
};
type ErrorCodeOf = Parameters<typeof contractError>[1];

Deno.test("contractError() passes on what is not libvirt's", () => {
  for (const thrown of [new Error("x"), new ContractError("VmNotRunning"), "x", undefined]) {
    assert.equal(contractError(thrown), thrown);
  }
});

Deno.test("contractError() gives libvirt's no the place's own code, with libvirt's text and numbers", () => {
  assert.deepEqual(mapped("libvirt", "no space", 9, "StartFailed").toJSON(), {
    code: "StartFailed",
    message: "Failed to start VM: no space",
    details: { error: "no space", libvirt: { code: 9, domain: 10, level: 2 } },
  });
  assert.equal(mapped("libvirt", "x").message, "Libvirt failed: x");
  const held = "Timed out during operation: cannot acquire state change lock (held by monitor=init-web1)";
  assert.match(mapped("libvirt", held).message, /held by monitor=init-web1\)\. .*restart libvirt/);
  const marked = "block copy still active: disk 'vda' already in active block job";
  for (const leased of ["Lease is held by another host", "Lockspace resource '/a' is locked"]) {
    assert.match(mapped("libvirt", leased).message, /\. Another host, or another VM, has the lease.*first\./);
  }
  const daemon = "Failed to open socket to sanlock daemon: Connection refused";
  assert.match(mapped("libvirt", daemon).message, /refused\. Start sanlock .*restart libvirtd/);
  assert.match(mapped("libvirt", marked).message, /active block job\. .*shut the VM down, start it again/);
});

Deno.test("contractError() tells shared folders that must go from those that must be unmounted", () => {
  const virtiofs = "State blocked by non-migratable device '0000:00:05.0/vhost-user-fs'";
  assert.equal(mapped("libvirt", virtiofs, 9, "SuspendFailed").code, "ShareHinders");
  const mounted =
    "Migration is disabled when VirtFS export path '/srv/a' is mounted in the guest using mount_tag 'a'";
  const error = mapped("libvirt", mounted, 9, "SuspendFailed");
  assert.equal(error.code, "ShareMounted");
  assert.match(error.message, /Unmount it in the guest/);
});

Deno.test("contractError() knows codes that mean the same whatever was asked", () => {
  const { ACCESS_DENIED, AUTH_FAILED, AUTH_CANCELLED, AUTH_UNAVAILABLE, NO_SUPPORT } = VIR_ERR;
  for (const code of [ACCESS_DENIED, AUTH_FAILED, AUTH_CANCELLED, AUTH_UNAVAILABLE]) {
    assert.equal(
      mapped("libvirt", "polkit says no", code, "StartFailed").message,
      errorText("PermissionDenied"),
    );
  }
  assert.equal(
    mapped("libvirt", "not here", NO_SUPPORT, "StartFailed").message,
    "This host's libvirt cannot do that: not here",
  );
});

Deno.test("contractError() says that it is not known whether it was done, after a time limit or a lost connection", () => {
  const late = mapped("timeout", "no answer within 0.6 seconds", 1, "StartFailed", "start_vm");
  assert.match(
    late.message,
    /^Libvirt did not answer within 0\.6 seconds \(start_vm\)\. Whether it was carried out is not known/,
  );
  const lost = mapped("lost", "client socket is closed", 1, "StartFailed", "start_vm");
  assert.match(
    lost.message,
    /^The connection to libvirt was lost during start_vm\. Whether it was carried out is not known/,
  );
  assert.equal(mapped("busy", "12 calls to libvirt do not return").details?.waiting, "12");
});

Deno.test("unavailableText() tells a person what to do: start it, or get the rights", () => {
  const table: [string, number, string][] = [
    ["Failed to connect socket to '/run/x': No such file or directory", 38, errorText("LibvirtUnavailable")],
    ["Failed to connect socket to '/run/x': Connection refused", 38, errorText("LibvirtUnavailable")],
    ["Failed to connect socket to '/run/x': Permission denied", 38, errorText("PermissionDenied")],
    ["authentication unavailable: no polkit agent", VIR_ERR.AUTH_UNAVAILABLE, errorText("PermissionDenied")],
    ["access denied", VIR_ERR.ACCESS_DENIED, errorText("PermissionDenied")],
    ["no connection driver available for nonsense:///", 5, "no connection driver available for nonsense:///"],
  ];
  for (const [message, code, text] of table) {
    const error = new LibvirtError({ kind: "unavailable", message, code });
    assert.equal(unavailableText(error), text);
    const { code: told, message: said } = mapped("unavailable", message, code);
    assert.deepEqual([told, said], [
      text === errorText("PermissionDenied") ? "PermissionDenied" : "LibvirtUnavailable",
      text,
    ]);
  }
});

Deno.test("contractError() leaves a lost connection to whoever knows the command: its text names it", () => {
  for (const kind of ["lost", "timeout"] as const) {
    const error = new LibvirtError({ kind, message: "client socket is closed" });
    assert.equal(contractError(error, "VolumeCloneFailed"), error);
    const told = contractError(error, "VolumeCloneFailed", "clone_volume");
    assert.match(String(told), /clone_volume/);
  }
});

Deno.test("isConnectionLost() tells that libvirt did not answer, however deep, from its saying no", () => {
  const lost = new LibvirtError({ kind: "lost", message: "x" });
  const no = new LibvirtError({ kind: "libvirt", message: "x" });
  const wrapped = (cause: unknown) =>
    new ContractError("UpdateFailed", {}, { cause: new ContractError("ConnectionLost", {}, { cause }) });
  assert.deepEqual([lost, wrapped(lost), no, wrapped(no), new Error("x")].map(isConnectionLost), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
