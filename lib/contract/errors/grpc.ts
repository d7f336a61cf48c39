/** Errors: what streams by gRPC. */
import type { ErrorKind } from "./kind.ts";

export const GRPC_ERRORS = {
  StreamNotRead: {
    text: "The stream was ended: the client was more than {limit} bytes behind. Read faster, or call again.",
    status: 429,
    exit: 3,
  },
  ConsoleEnded: { text: "The console has ended: {reason}", status: 409, exit: 5 },
} as const satisfies Record<string, ErrorKind>;
