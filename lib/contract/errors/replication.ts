/** Errors: replications and replicas. */
import type { ErrorKind } from "./kind.ts";

export const REPLICATION_ERRORS = {
  ReplicationNotFound: { text: "Replication not found: {replicationId}", status: 404, exit: 4 },
  ReplicaNotFound: { text: "Replica not found: {replicaId}", status: 404, exit: 4 },
  ReplicationExists: { text: "The VM is replicated to {host} already.", status: 409, exit: 5 },
  TooManyReplications: {
    text: "There are {limit} replications already. End one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  ReplicationBusy: {
    text: "{name} is {what} just now. Try again when that has ended.",
    status: 409,
    exit: 5,
  },
  ReplicationNotPossible: { text: "The VM cannot be replicated: {reason}", status: 409, exit: 5 },
  ReplicationOwnerLost: {
    text: "It runs as {name}, and {reason}. Somebody who may do this must save the replication again.",
    status: 403,
    exit: 6,
  },
  ReplicationFailed: { text: "The replica was not brought up to date: {error}", status: 502, exit: 1 },
  ReplicaPromoted: {
    text:
      "The VM was started from its replica on {host}: the one here is no longer the owner. Replicate it from {host} to " +
      "here to bring it back.",
    status: 409,
    exit: 5,
  },
  VmNotOwner: {
    text:
      "The VM is not started here: it was switched over to {host}, or may have been. Replicate it from {host} to here to " +
      "bring it back, or end the replication with --reclaim if the VM there is gone.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
