import assert from "node:assert/strict";
import { type ErrorCode, ERRORS } from "../contract/errors.ts";
import { GRPC, grpcCode } from "./status.ts";

Deno.test("every error of the contract has a code of gRPC that says what kind it is", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const told = grpcCode(code);
    assert.ok(told !== GRPC.OK && told !== GRPC.UNKNOWN, `${code} (${ERRORS[code].status})`);
  }
  assert.deepEqual(
    (["VmNotFound", "InvalidInput", "NotSignedIn", "Forbidden", "VmNameExists", "TooManyRequests"] as const)
      .map(grpcCode),
    [
      ...[GRPC.NOT_FOUND, GRPC.INVALID_ARGUMENT, GRPC.UNAUTHENTICATED, GRPC.PERMISSION_DENIED],
      ...[GRPC.ALREADY_EXISTS, GRPC.RESOURCE_EXHAUSTED],
    ],
  );
  assert.equal(grpcCode("VmNotRunning"), GRPC.FAILED_PRECONDITION);
  assert.equal(grpcCode("LibvirtUnavailable"), GRPC.UNAVAILABLE);
});
