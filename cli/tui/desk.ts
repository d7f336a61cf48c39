/** Context of panes: the data, the server, the panes above, and the messages. */
import type { CommandName, VM } from "../../lib/contract/mod.ts";
import type { Server } from "../connect/server.ts";
import type { LiveData } from "./live_data.ts";
import type { Pane } from "./pane.ts";

/** How good something is. */
export type Tone = "ok" | "warn" | "bad" | "info";

/** Something that is said. */
export interface DeskMessage {
  readonly text: string;
  readonly tone: Tone;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Work that is carried out. */
export interface Work {
  readonly name: CommandName;
  readonly input: Readonly<Record<string, unknown>>;
  /** `Starting web1…` */
  readonly doing: string;
  /** Said when it was carried out; undefined where the answer itself is shown. */
  readonly done: (answer: unknown) => string | undefined;
}

export interface Desk {
  readonly data: LiveData;
  readonly server: Server;
  /** Messages, the newest last. */
  readonly messages: readonly DeskMessage[];
  /** Puts a pane above the others. */
  open(pane: Pane): void;
  /** Takes a pane away, with those above it. */
  close(pane: Pane): void;
  say(text: string, tone: Tone): void;
  /** Number of keys typed so far; for {@link show}. */
  mark(): number;
  /** Shows an answer; among the messages where somebody has typed since the mark: a key is for what they see. */
  show(title: string, text: string, mark: number): void;
  /** Says why something failed. @throws what is no error of the server */
  fail(error: unknown): void;
  /** Carries something out while everything else goes on. */
  work(work: Work): void;
  /** Runs something that may fail while everything else goes on. */
  async(doing: string, run: () => Promise<void>): void;
  /** Gives the terminal to a VM's serial console until that is left. */
  console(vm: VM): void;
  /** Draws again. */
  refresh(): void;
}
