/** Services of the application that gRPC needs. */
import type { Metadata } from "@grpc/grpc-js";
import type { CommandName, VM } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { AccessWorld } from "../access/authorise.ts";
import type { Access } from "../access/mod.ts";
import type { Consoles } from "../console/consoles.ts";
import type { Dispatch } from "../dispatch.ts";
import type { EventHub } from "../events/hub.ts";
import type { Rate } from "../limits.ts";
import type { Origin } from "./callers.ts";

/** Services of the application that gRPC needs. */
export interface GrpcWorld {
  readonly access: Pick<Access, "identify">;
  readonly dispatch: Dispatch;
  readonly hub: EventHub;
  readonly consoles: Pick<Consoles, "attach">;
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
  readonly vms: () => readonly VM[];
  /** Heads of an answer that say which hosts it has nothing of. */
  readonly heads: (
    command: CommandName,
    host: unknown,
    principal: Principal,
  ) => Readonly<Record<string, string>>;
  readonly rate: Rate;
  /** Origin of a connection, by its other end as the kernel knows it. */
  readonly originOf: (end: string, metadata: Metadata, authority: string) => Omit<Origin, "peer">;
}
