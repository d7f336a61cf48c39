/** `--wait`: until VMs are in a state, their guest agents answer, or they have an address. */
import { message } from "../../lib/i18n/message.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { Server } from "../connect/server.ts";
import { followOn, LOADS } from "../events.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { isLinkLocal } from "../../lib/formats/ip/link_local.ts";
import { UsageError } from "./values.ts";
import type { WaitedFor } from "./waited_for.ts";
import { wordHere } from "./words.ts";

const { t } = textsOf(shell);

/** Seconds that are waited without `--timeout`. */
const DEFAULT_SECONDS = 120;
/** Milliseconds after which VMs are looked at although nothing was told of them: some addresses are learnt when asked for. */
const LOOK_MS = 2000;

const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600 };

/** Milliseconds of `90`, `90s`, `5m`; undefined for no end. @throws {UsageError} */
export function timeoutOf(text: string | undefined): number | undefined {
  const [, amount, unit = ""] = /^(\d+)([smh]?)$/.exec(text ?? String(DEFAULT_SECONDS)) ?? [];
  if (amount === undefined) {
    throw new UsageError(message`--timeout is ${JSON.stringify(text)}; it must be a time like 90s or 5m`);
  }
  const seconds = Number(amount) * SECONDS[unit]!;
  return seconds === 0 ? undefined : seconds * 1000;
}

/** Whether a VM is as it is waited for. */
export function isReached(vm: VM, what: WaitedFor): boolean {
  switch (what) {
    case "agent":
      return vm.guestAgent === "connected";
    case "address":
      // A link-local address is all that a guest has before DHCP has answered.
      return vm.networkInterfaces.some(({ ipAddress }) => ipAddress !== undefined && !isLinkLocal(ipAddress));
    default:
      return vm.state === what;
  }
}

const LACKS = { agent: "shell.no_agent", address: "shell.no_address" } as const;

function whyNot(vm: VM | undefined, what: WaitedFor, milliseconds: number): string {
  if (vm === undefined) return t("shell.gone");
  const text = what === "agent" || what === "address" ? LACKS[what] : "shell.still";
  return t(text, { seconds: milliseconds / 1000, state: wordHere(vm.state) });
}

/** Result of waiting for one VM: undefined if the state was reached, else the reason. */
export type WaitOutcome = string | undefined;

/**
 * Waits for each of some VMs. One that is gone is not waited for any longer.
 *
 * @param milliseconds longest time; undefined for no end
 * @returns by id
 */
export async function waitForVms(
  server: Server,
  ids: readonly string[],
  what: WaitedFor,
  milliseconds: number | undefined,
): Promise<ReadonlyMap<string, WaitOutcome>> {
  const outcomes = new Map<string, WaitOutcome>();
  const left = new Set(ids);
  const last = new Map<string, VM>();
  const stop = new AbortController();
  const look = async () => {
    const vms = new Map((await server.call("get_vms", {}) as VM[]).map((vm) => [vm.id, vm]));
    for (const id of [...left]) {
      const vm = vms.get(id);
      if (vm && !isReached(vm, what)) {
        last.set(id, vm);
        continue;
      }
      left.delete(id);
      outcomes.set(id, vm ? undefined : t("shell.gone"));
    }
    if (left.size === 0) stop.abort();
  };
  const over = milliseconds === undefined ? undefined : setTimeout(() => stop.abort(), milliseconds);
  let failure: unknown;
  let looking = Promise.resolve(), isDue = false;
  const lookAgain = () => {
    if (isDue) return; // a hundred events are one look
    isDue = true;
    looking = looking.then(async () => {
      isDue = false;
      if (left.size > 0) await look();
    }).catch((error) => {
      failure ??= error;
      stop.abort();
    });
  };
  const again = setInterval(lookAgain, LOOK_MS);
  try {
    const broke = (reason: string) => console.error(`kvm-manager: ${t("shell.trying_again", { reason })}`);
    for await (const event of followOn(server, stop.signal, broke)) {
      if (event === "opened" || !LOADS.has(event.name)) lookAgain();
    }
    await looking;
  } finally {
    clearTimeout(over);
    clearInterval(again);
  }
  if (failure !== undefined) throw failure;
  for (const id of left) outcomes.set(id, whyNot(last.get(id), what, milliseconds ?? 0));
  return outcomes;
}
