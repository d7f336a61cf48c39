/** `kvm-manager grpc proto`: the .proto files that generators make clients of. */
import { ownHelp } from "./own_help.ts";
import { message } from "../lib/i18n/message.ts";
import { protoText } from "../lib/grpc/proto_text.ts";
import { contractProto } from "../lib/grpc/contract_proto.ts";
import { SEED_FILE } from "../lib/grpc/seed_file.ts";
import { parsed } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { parseOrExit } from "./host_verb.ts";
import { UsageError } from "./verb/values.ts";

/** Names of the definitions that can be printed. */
export const PROTO_NAMES = ["kvmmanager", "mvirt"] as const;
type ProtoName = typeof PROTO_NAMES[number];

export const GRPC_PROTO_HELP = () =>
  ownHelp({
    usage: `kvm-manager grpc proto [${PROTO_NAMES.join("|")}]`,
    about: [
      message`Prints a .proto file that generators make clients of: every command, events and consoles (kvmmanager), or the service of mvirt, which has the same VMs. gRPC is served where --grpc-listen says; it is off until then.`,
    ],
    examples: [
      "mkdir -p kvmmanager/v1 && kvm-manager grpc proto > kvmmanager/v1/kvm_manager.proto",
      "kvm-manager grpc proto mvirt > mvirt.proto",
    ],
  });

/** Reads its arguments. @throws {UsageError} */
export function readGrpcProto(args: readonly string[]): { readonly name: ProtoName } {
  const { positionals: [word = PROTO_NAMES[0], more] } = parsed(args, {});
  const name = PROTO_NAMES.find((each) => each === word);
  if (name === undefined) {
    throw new UsageError(message`${word} is no file; there are ${PROTO_NAMES.join(" and ")}`);
  }
  if (more !== undefined) throw new UsageError(message`${more} is one word too many`);
  return { name };
}

/** Prints one. */
export function grpcProto(args: readonly string[]): Promise<number> {
  const given = parseOrExit(EXIT.usage, "grpc proto", () => readGrpcProto(args));
  if (typeof given === "number") return Promise.resolve(given);
  console.log((given.name === "mvirt" ? protoText(SEED_FILE) : contractProto()).trimEnd());
  return Promise.resolve(EXIT.done);
}
