/**
 * Runs one part of the bench in this process, for run_part.ts: `part.ts ORDER OPTION…`, with an {@link Order} as JSON and
 * the options of the bench, of which some parts have their own.
 * Standard output has a line of JSON for each {@link Told}.
 */
import { messageOf } from "../../lib/text/message.ts";
import { BINARY } from "../testbed/product_binary.ts";
import { Unavailable } from "../testbed/unavailable.ts";
import { BENCHES, idOf, PARTS } from "./parts.ts";
import type { Row } from "./row.ts";

/** Order to run a part. */
export interface Order {
  /** The part's id. */
  readonly id: string;
  readonly quick: boolean;
  readonly machines: readonly string[];
  /** Folder where the product unpacks itself. */
  readonly cache: string;
}

/** Message of a part: a row, or the way it ended. */
export type Told =
  | { readonly row: Row }
  | { readonly ended: "complete" }
  | { readonly ended: "unavailable" | "failed"; readonly reason: string };

const tell = (told: Told) => console.log(JSON.stringify(told));

async function runPart({ id, quick, machines, cache }: Order): Promise<void> {
  const part = PARTS.find((each) => idOf(each) === id);
  if (part === undefined) throw new Error(`no part is called ${id}`);
  const bench = await BENCHES[part.name]();
  // As the product does by itself
  const server = {
    binary: BINARY,
    logLevel: "info",
    guestInterval: 300,
    env: { KVMM_CACHE_DIR: cache },
  } as const;
  for await (const row of bench({ quick, server, machines })) tell({ row });
}

if (import.meta.main) {
  try {
    await runPart(JSON.parse(Deno.args[0]!));
    tell({ ended: "complete" });
  } catch (error) {
    if (!(error instanceof Unavailable)) console.error(error);
    tell({ ended: error instanceof Unavailable ? "unavailable" : "failed", reason: messageOf(error) });
  }
  Deno.exit(); // a worker that still waits for libvirt must not hold the result up
}
