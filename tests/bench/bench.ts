/** Types shared by all benches. */
import type { ServerOptions } from "../testbed/server.ts";
import type { Row } from "./row.ts";

/** Context of a bench. */
export interface Context {
  /** Fewer rounds. */
  readonly quick: boolean;
  /** How the product is started: the packed binary, unpacked in a cache that this run throws away. */
  readonly server: Pick<ServerOptions, "env" | "logLevel" | "guestInterval"> & { readonly binary: string };
  /** Names of the stopped machines of the host. */
  readonly machines: readonly string[];
}

/** One bench: rows of the result, each as soon as it is known. It runs on a host of its own (world.ts). */
export type Bench = (context: Context) => AsyncIterable<Row>;

/** Rounds: a third of `full`, at least 3, when it should be quick. */
export function roundsOf({ quick }: Pick<Context, "quick">, full: number): number {
  return quick ? Math.max(3, Math.round(full / 3)) : full;
}
