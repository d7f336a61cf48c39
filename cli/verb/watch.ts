/** `--watch`: an answer printed again whenever something happened, told by the server's events. */
import type { Server } from "../connect/server.ts";
import { followOn, LOADS } from "../events.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { Terminal } from "../terminal.ts";

const { t } = textsOf(shell);

/** Clears the screen and goes to its corner (ECMA-48). */
const CLEAR = "\x1b[2J\x1b[H";
/** Milliseconds that happenings are collected for: a hundred starts are one look. */
const HANDFUL_MS = 150;

/**
 * Prints, and prints again when it has changed, until the signal.
 *
 * @param text what there is to print now
 * @param isLoad it shows loads
 */
export async function watch(
  server: Server,
  text: () => Promise<string>,
  { isLoad, terminal, signal }: { isLoad: boolean; terminal: Terminal; signal: AbortSignal },
): Promise<void> {
  let last: string | undefined;
  const print = async () => {
    const now = await text();
    if (now === last || signal.aborted) return;
    last = now;
    console.log(terminal.isTerminal ? CLEAR + now : now);
  };
  await print();
  let failure: unknown;
  let due: ReturnType<typeof setTimeout> | undefined;
  let printing = Promise.resolve();
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const look = () => {
    due ??= setTimeout(() => {
      due = undefined;
      printing = printing.then(print).catch((error) => {
        failure ??= error;
        stop.abort();
      });
    }, HANDFUL_MS);
  };
  const broke = (reason: string) => console.error(`kvm-manager: ${t("shell.trying_again", { reason })}`);
  try {
    for await (const event of followOn(server, until, broke)) {
      if (event === "opened" || !LOADS.has(event.name) || isLoad) look();
    }
  } finally {
    clearTimeout(due);
    await printing;
  }
  if (failure !== undefined) throw failure;
}
