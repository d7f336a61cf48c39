/** `kvm-manager host use`: which host of a server verbs are for. */
import { ownHelp } from "./own_help.ts";
import { message } from "../lib/i18n/message.ts";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import type { HostStatus } from "../lib/contract/mod.ts";
import { parsed } from "./arguments.ts";
import { readContexts, writeContexts } from "./connect/contexts.ts";
import { serverOf } from "./connect/server.ts";
import { contextOf, TARGET_OPTIONS, targetOf } from "./connect/target.ts";
import { EXIT } from "./exit.ts";
import { environment } from "./environment.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { failed } from "./verb/failure.ts";
import { UsageError } from "./verb/values.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

export const HOST_USE_HELP = () =>
  ownHelp({
    usage: "kvm-manager host use NAME",
    about: [
      message`Verbs are for this host of the server from then on, unless --host names another one. local is the host that the server runs on. It is kept for each server of kvm-manager login, and for this host's own. In scripts, set KVMM_HOST instead.`,
    ],
    server: true,
    examples: ["kvm-manager host use kvm2", "kvm-manager host use local"],
  });

/** Reads its arguments. @throws {UsageError} */
export function readHostUse(args: readonly string[]) {
  const { positionals: [name, ...others], values } = parsed(args, TARGET_OPTIONS);
  if (name === undefined || others.length > 0) {
    throw new UsageError("say which host: see kvm-manager host list");
  }
  return { name, values };
}

/** Keeps it. */
export async function hostUse(args: readonly string[]): Promise<number> {
  try {
    const { name, values } = readHostUse(args), { env } = environment();
    const server = serverOf(await targetOf(values)), context = await contextOf(values);
    if (context === undefined) {
      throw new UsageError(
        "a server that options or variables name is not remembered. Set KVMM_HOST, or use kvm-manager login",
      );
    }
    const hosts = await server.call("list_hosts", {}) as HostStatus[];
    if (!hosts.some(({ id }) => id === name)) {
      throw new UsageError(
        message`${server.name} has no host ${JSON.stringify(name)}. See kvm-manager host list`,
      );
    }
    const kept = readContexts(env), { [context]: _before, ...others } = kept.hosts ?? {};
    await writeContexts(env, {
      ...kept,
      hosts: name === LOCAL_HOST ? others : { ...others, [context]: name },
    });
    console.error(t("shell.host_used", { name: escapeControlCharacters(name) }));
    return EXIT.done;
  } catch (error) {
    return failed(error, ["host", "use"]);
  }
}
