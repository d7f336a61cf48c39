/** Errors of the contract as gRPC has them. Pure. Source: grpc/doc/statuscodes.md, google/rpc/code.proto. */
import { type ErrorCode, ERRORS } from "../contract/errors.ts";

/** gRPC's codes. */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type GrpcCode = typeof GRPC[keyof typeof GRPC];

/** Codes that say more than their HTTP status. */
const BY_CODE: Readonly<Partial<Record<ErrorCode, GrpcCode>>> = {
  JobCancelled: GRPC.CANCELLED,
  UnknownCommand: GRPC.UNIMPLEMENTED,
};

/** Endings of codes that do. */
const BY_ENDING: readonly (readonly [ending: RegExp, code: GrpcCode])[] = [
  [/(Exists|Taken)$/, GRPC.ALREADY_EXISTS],
  [/^TooMany/, GRPC.RESOURCE_EXHAUSTED],
];

const BY_STATUS: Readonly<Record<number, GrpcCode>> = {
  400: GRPC.INVALID_ARGUMENT,
  401: GRPC.UNAUTHENTICATED,
  403: GRPC.PERMISSION_DENIED,
  404: GRPC.NOT_FOUND,
  405: GRPC.UNIMPLEMENTED,
  408: GRPC.DEADLINE_EXCEEDED,
  409: GRPC.FAILED_PRECONDITION,
  411: GRPC.INVALID_ARGUMENT,
  412: GRPC.ABORTED,
  413: GRPC.RESOURCE_EXHAUSTED,
  415: GRPC.INVALID_ARGUMENT,
  416: GRPC.OUT_OF_RANGE,
  421: GRPC.PERMISSION_DENIED,
  429: GRPC.RESOURCE_EXHAUSTED,
  500: GRPC.INTERNAL,
  501: GRPC.UNIMPLEMENTED,
  502: GRPC.INTERNAL,
  503: GRPC.UNAVAILABLE,
  504: GRPC.DEADLINE_EXCEEDED,
};

/** gRPC's code for an error of the contract. */
export function grpcCode(code: ErrorCode): GrpcCode {
  const own = BY_CODE[code] ?? BY_ENDING.find(([ending]) => ending.test(code))?.[1];
  return own ?? BY_STATUS[ERRORS[code].status] ?? GRPC.UNKNOWN;
}
