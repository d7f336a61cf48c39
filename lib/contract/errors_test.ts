import assert from "node:assert/strict";
import { message } from "../i18n/message.ts";
import { ContractError, detailOf, type ErrorCode, ERRORS, errorText } from "./errors.ts";

/** Texts of the contract, word for word, with what fills them. */
const TEXTS: readonly [ErrorCode, Record<string, unknown>, string][] = [
  ["VmNotFound", { vmId: "4dea22b3" }, "VM not found: 4dea22b3"],
  ["VmAlreadyRunning", {}, "VM is already running"],
  ["VmNotRunning", {}, "VM is not running"],
  ["VmNotPaused", {}, "VM is not paused"],
  ["ForceStopFailed", { error: "gone" }, "Failed to force stop VM: gone"],
  ["PauseFailed", { error: "gone" }, "Failed to pause VM: gone"],
  ["ResumeFailed", { error: "gone" }, "Failed to resume VM: gone"],
  ["RebootFailed", { error: "gone" }, "Failed to reboot VM: gone"],
  ["VmStillRunning", {}, "Cannot delete running VM. Stop it first."],
  ["DeleteFailed", { error: "gone" }, "Failed to delete VM: gone"],
  ["DiskDeleteFailed", { path: "/a.img", error: "busy" }, "Failed to delete disk: /a.img - busy"],
  ["VmNameExists", { name: "web" }, "VM name already exists: web"],
  ["IsoNotFound", { isoPath: "/a.iso" }, "ISO file not found: /a.iso"],
  ["NetworkNotFound", { network: "lan" }, "Network not found: lan"],
  ["DiskCreateFailed", { error: "full" }, "Failed to create disk image: full"],
  ["CreateFailed", { error: "no" }, "Failed to create VM: no"],
  ["InvalidName", {}, "Invalid VM name: must be 1-64 characters, alphanumeric with dash/underscore only"],
  ["InvalidCpuCount", { n: 300 }, "Invalid CPU count: 300 (must be 1-256)"],
  ["InvalidMemorySize", { n: 64 }, "Invalid memory size: 64MB (minimum 128MB)"],
  ["InvalidDiskSize", { n: 0 }, "Invalid disk size: 0GB (minimum 1GB)"],
  ["VncNotConfigured", {}, "VNC not configured for this VM"],
  ["LibvirtUnavailable", {}, "Libvirtd is not running. Please start the service."],
  ["PermissionDenied", {}, "Permission denied. Run as root or add user to libvirt group."],
];

Deno.test("errorText() gives exactly the contract's texts", () => {
  for (const [code, details, text] of TEXTS) assert.equal(errorText(code, details), text);
});

Deno.test("errorText() leaves a place without a value to be seen, and takes values as they are", () => {
  assert.equal(errorText("VmNotFound"), "VM not found: {vmId}");
  assert.equal(errorText("VmNotFound", { vmId: "$& {vmId} $1" }), "VM not found: $& {vmId} $1");
  assert.equal(errorText("BodyTooLarge", { limit: 0 }), "The request body is larger than 0 bytes");
});

Deno.test("ERRORS have PascalCase codes, a status and an exit status that fit together", () => {
  const exits: Record<number, readonly number[]> = {
    400: [2],
    401: [6],
    403: [6],
    404: [2, 4],
    405: [2],
    408: [1],
    409: [5],
    411: [2],
    412: [5],
    413: [2],
    415: [2],
    416: [2],
    421: [6],
    429: [3, 6],
    500: [1],
    501: [1],
    502: [1],
    503: [3],
    504: [3],
  };
  for (const [code, { text, status, exit }] of Object.entries(ERRORS)) {
    assert.match(code, /^([A-Z][a-z]+)+$/);
    assert.notEqual(text, "");
    assert.ok(exits[status]?.includes(exit), `${code}: ${status} and ${exit}`);
  }
});

Deno.test("ContractError.toJSON() is code, message and details, and nothing of the cause", () => {
  const error = new ContractError("VmNotFound", { vmId: "x" }, { cause: new Error("secret") });
  assert.equal(
    JSON.stringify(error),
    '{"code":"VmNotFound","message":"VM not found: x","details":{"vmId":"x"}}',
  );
  assert.equal(
    JSON.stringify(new ContractError("Internal")),
    `{"code":"Internal","message":"${errorText("Internal")}"}`,
  );
  assert.deepEqual([error.status, error.exit], [404, 4]);
});

Deno.test("ContractError.fromBody() rebuilds what toJSON() gave", () => {
  const error = new ContractError("DiskDeleteFailed", { path: "/a", error: "b" }, {
    message: "its own text",
  });
  const again = ContractError.fromBody(JSON.parse(JSON.stringify(error)));
  assert.deepEqual([again.code, again.message, again.details], [error.code, error.message, error.details]);
});

Deno.test("ContractError.fromBody() makes an error of anything", () => {
  const unknown = ContractError.fromBody({
    code: "OfLaterVersion",
    message: "of a newer server",
    details: { a: 1 },
  });
  assert.deepEqual([unknown.code, unknown.message, unknown.details], ["Internal", "of a newer server", {
    a: 1,
  }]);
  for (const code of ["constructor", "__proto__", "toString", 5, null]) {
    assert.equal(ContractError.fromBody({ code }).code, "Internal");
  }
  for (const body of [null, undefined, 5, "text", [], {}]) {
    assert.equal(ContractError.fromBody(body).code, "Internal");
  }
  for (const details of [null, "text", 5, []]) {
    const error = ContractError.fromBody({ code: "VmNotFound", details });
    assert.deepEqual([error.message, error.details], ["VM not found: {vmId}", undefined]);
  }
  assert.equal(
    ContractError.fromBody({ code: "VmNotFound", message: { html: 1 } }).message,
    "VM not found: {vmId}",
  );
});

Deno.test("ERRORS have every code of every noun, and no code in two of them", async () => {
  const folder = new URL("errors/", import.meta.url);
  const codes: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const tables: Record<string, object> = await import(new URL(name, folder).href);
    codes.push(...Object.values(tables).flatMap((table) => Object.keys(table)));
  }
  assert.deepEqual(codes.sort(), Object.keys(ERRORS).sort());
});

Deno.test("detailOf() keeps a sentence one, and stands in for a detail that is missing", () => {
  const told = (cause: ContractError) =>
    new ContractError("ReplicationNotPossible", { reason: detailOf(cause, "reason") }).message;
  const encrypted = new ContractError("BackupNotPossible", { reason: message`disk ${"vda"} is encrypted` });
  assert.equal(told(encrypted), "The VM cannot be replicated: disk vda is encrypted");
  assert.equal(told(new ContractError("VmNotRunning")), "The VM cannot be replicated: VM is not running");
});
