/** Advice in texts of the gRPC server. */
import type { RemedyTrial } from "./trial.ts";

const COMMENT: RemedyTrial = { not: "comments of the .proto file, which describe what is sent" };

/** Words of a text → how it is tried. */
export const OF_GRPC: Readonly<Record<string, RemedyTrial>> = {
  "first of all; the bytes come after it": COMMENT,
  "first of all; what is typed comes after it": COMMENT,
  "that was seen: what was missed comes first": COMMENT,
  "never get a second meaning. See docs/grpc.md": COMMENT,
  "carried out by commands of KVM Manager. See docs/grpc.md": COMMENT,
  "cannot be chosen: leave tap out, and set network": {
    not: "cards are attached by their network in grpc_test, without that field",
  },
  "--grpc-listen has addresses, and off: give either": {
    not: "servers are started with addresses, and without, by grpc_test",
  },
};
