/**
 * Services of gRPC: the contract's file and the seed's, with all that reflection shows. Made once, at the
 * first connection.
 */
import numbers from "../../lib/grpc/field_numbers.json" with { type: "json" };
import { Codec } from "../../lib/grpc/codec.ts";
import { type ContractFile, contractFile } from "../../lib/grpc/contract_file.ts";
import type { CommandTable } from "../../lib/contract/mod.ts";
import { HEALTH_FILE, REFLECTION_FILES, STATUS_MESSAGES, STRUCT_FILE } from "../../lib/grpc/known_files.ts";
import type { ProtoFile } from "../../lib/grpc/model.ts";
import { SEED_FILE } from "../../lib/grpc/seed_file.ts";

export interface GrpcApi {
  readonly contract: ContractFile;
  /** Every file that reflection lists. */
  readonly files: readonly ProtoFile[];
  readonly codec: Codec;
}

/** @param commands other commands than the contract's: tests add to them */
export function grpcApi(commands?: CommandTable): GrpcApi {
  const contract = contractFile(numbers, commands);
  const files = [contract.file, SEED_FILE, HEALTH_FILE, ...REFLECTION_FILES, STRUCT_FILE];
  return { contract, files, codec: new Codec([...files, { messages: STATUS_MESSAGES, enums: [] }]) };
}
