import assert from "node:assert/strict";
import { grpcApi } from "./api.ts";
import { Reflection } from "./reflection.ts";

const reflection = new Reflection(grpcApi().files);
const ask = (request: object) =>
  reflection.answer({ host: "", ...request }) as Record<string, Record<string, unknown>>;

Deno.test("reflection finds files by name, by service, by method and by message, with what they import", () => {
  for (
    const request of [
      { fileByFilename: "kvmmanager/v1/kvm_manager.proto" },
      { fileContainingSymbol: "kvmmanager.v1.KvmManager" },
      { fileContainingSymbol: "kvmmanager.v1.KvmManager.StartVm" },
      { fileContainingSymbol: "kvmmanager.v1.VM" },
    ]
  ) {
    const { fileDescriptorProto } = ask(request).fileDescriptorResponse!;
    assert.equal((fileDescriptorProto as unknown[]).length, 2, "struct.proto is with it");
  }
});

Deno.test("reflection says what there is not", () => {
  for (const request of [{ fileByFilename: "x" }, { fileContainingSymbol: "constructor" }, {}]) {
    assert.equal(ask(request).errorResponse!.errorCode, 5);
  }
});
