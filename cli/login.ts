/** `kvm-manager login`, `logout`, `context`: servers elsewhere, known by a name. */
import { ownHelp } from "./own_help.ts";
import { message, render } from "../lib/i18n/message.ts";
import { SettingsError } from "../agent/settings_error.ts";
import { ApiError } from "../lib/client/api.ts";
import { parsed } from "./arguments.ts";
import { saysYes } from "./confirm.ts";
import { contextsFile, readContexts, type ServerContext, writeContexts } from "./connect/contexts.ts";
import { type Server, serverOf } from "./connect/server.ts";
import { remoteTarget, serverUrl } from "./connect/target.ts";
import { shownFingerprint, UntrustedError } from "./connect/untrusted.ts";
import { EXIT } from "./exit.ts";
import { environment } from "./environment.ts";
import { TERMINAL, type Terminal } from "./terminal.ts";
import { unreadable } from "./unreadable.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { failed } from "./verb/failure.ts";
import { formatAnswer } from "./verb/output.ts";
import { UsageError } from "./verb/values.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

export const LOGIN_HELP = () =>
  ownHelp({
    usage: "kvm-manager login URL [--name NAME] [--token-file FILE|-] [--ca FILE | --fingerprint SHA256]",
    about: [
      message`Remembers a server and an API token for it (made under Settings, API tokens, or with kvm-manager token add). The token is asked for, unless a file has it. A certificate that no authority vouches for is shown with its fingerprint; it is trusted if you say so. From then on every verb is for that server: see context use.`,
    ],
    options: [
      ["--name NAME", message`what to call it; the host's name without this`],
      ["--token-file FILE", message`file with the API token; - is standard input`],
      ["--ca FILE", message`certificates of the authorities to trust, PEM`],
      ["--fingerprint SHA256", message`trust the certificate with this fingerprint`],
    ],
    more: [message`Kept in ${contextsFile(environment().env)}, which only you can read.`],
    examples: [
      "kvm-manager login https://host:8440",
      "kvm-manager login https://host:8440 --name lab --token-file token.txt",
    ],
  });

export const LOGOUT_HELP = () =>
  ownHelp({
    usage: "kvm-manager logout [NAME]",
    about: [
      message`Forgets a server, the current one without a name, and its token here. The token itself stays valid: kvm-manager token revoke ends it.`,
    ],
  });

export const CONTEXT_HELP = () =>
  ownHelp({
    usage: "kvm-manager context list | context use NAME",
    about: [
      message`The servers of kvm-manager login, and which of them verbs are for. local is this host's, by its socket.`,
    ],
    examples: ["kvm-manager context list", "kvm-manager context use local"],
  });

/** Runs with errors told the way all verbs tell them. */
async function told(words: readonly string[], run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    return failed(error, words);
  }
}

async function tokenFrom(file: string | undefined, terminal: Terminal): Promise<string> {
  if (file === undefined) return (await terminal.secret(`${render(message`API token`)}: `)).trim();
  try {
    return (file === "-" ? await terminal.input() : await Deno.readTextFile(file)).trim();
  } catch (error) {
    throw new UsageError(unreadable("--token-file", file, error));
  }
}

/** Whether a certificate that no trusted authority has signed is to be trusted from now on. */
function trusts(server: string, fingerprint: string, terminal: Terminal): boolean {
  if (!terminal.isTerminal) return false;
  console.error(
    render(
      message`The certificate of ${
        escapeControlCharacters(server)
      } is not vouched for by an authority. Its fingerprint (SHA-256) is\n  ${
        shownFingerprint(fingerprint)
      }\nCompare it with what kvm-manager serve said when it started.`,
    ),
  );
  return saysYes(terminal.ask(render(message`Type yes to trust it:`)));
}

/** The fingerprint of a certificate that is not trusted; undefined for one that is. @throws {ApiError} */
async function untrusted(server: Server): Promise<string | undefined> {
  try {
    (await server.line()).line.destroy();
    return undefined;
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    if (cause instanceof UntrustedError) return cause.fingerprint;
    throw error;
  }
}

/** Reads what `login` is given. @throws {UsageError} */
export function readLogin(args: readonly string[]) {
  const { positionals, values } = parsed(args, {
    name: { type: "string" },
    "token-file": { type: "string" },
    ca: { type: "string" },
    fingerprint: { type: "string" },
  });
  if (positionals.length !== 1) throw new UsageError("say which server: https://host:8440");
  const url = serverUrl(positionals[0]!);
  const name = values.name ?? url.hostname;
  if (!/^[\w.-]{1,64}$/.test(name) || name === "local") {
    throw new UsageError(message`${JSON.stringify(name)} cannot be a name`);
  }
  return { url, name, values };
}

/** Remembers a server. */
export function login(args: readonly string[], terminal: Terminal = TERMINAL): Promise<number> {
  return told(["login"], async () => {
    const { url, name, values } = readLogin(args);
    let context: ServerContext = {
      server: url.href.replace(/\/$/, ""),
      token: "none",
      ...(values.ca !== undefined && { ca: await Deno.realPath(values.ca) }),
      ...(values.fingerprint !== undefined && { fingerprint: values.fingerprint }),
    };
    if (url.protocol === "https:" && values.fingerprint === undefined) {
      // Before the token is asked for: it must not reach another server.
      const fingerprint = await untrusted(serverOf(remoteTarget(context)));
      if (fingerprint !== undefined && !trusts(url.origin, fingerprint, terminal)) {
        throw new ApiError(
          "Unreachable",
          render(
            message`the certificate of ${url.origin} is not trusted. Say --ca FILE, or --fingerprint ${
              shownFingerprint(fingerprint)
            }`,
          ),
        );
      }
      if (fingerprint !== undefined) context = { ...context, fingerprint };
    }
    context = { ...context, token: await tokenFrom(values["token-file"], terminal) };
    const { name: user } = await serverOf(remoteTarget(context)).call("get_session", {}) as { name: string };
    const { env } = environment();
    const { contexts } = readContexts(env);
    await writeContexts(env, { current: name, contexts: { ...contexts, [name]: context } });
    console.error(
      render(
        message`Logged in to ${context.server} as ${
          escapeControlCharacters(user)
        }. Verbs are for it from now on (context ${name}).`,
      ),
    );
    return EXIT.done;
  });
}

/** Reads what `logout` is given. @throws {UsageError} @returns the server's name; undefined for the current one */
export function readLogout(args: readonly string[]): string | undefined {
  const { positionals } = parsed(args, {});
  if (positionals.length > 1) throw new UsageError("say one name");
  return positionals[0];
}

/** Forgets a server. */
export function logout(args: readonly string[]): Promise<number> {
  return told(["logout"], async () => {
    const named = readLogout(args);
    const { env } = environment();
    const { current, contexts } = readContexts(env);
    const name = named ?? current;
    if (name === undefined || !Object.hasOwn(contexts, name)) {
      throw new SettingsError(
        render(
          name === undefined
            ? message`no server is logged in to`
            : message`there is no context ${JSON.stringify(name)}`,
        ),
      );
    }
    const others = Object.fromEntries(Object.entries(contexts).filter(([each]) => each !== name));
    await writeContexts(env, {
      ...(current !== undefined && current !== name && { current }),
      contexts: others,
    });
    console.error(t("shell.forgot", { name }));
    return EXIT.done;
  });
}

/** Reads what `context` is given. @throws {UsageError} @returns the server that is to be used; undefined lists them */
export function readContext(args: readonly string[]): string | undefined {
  const { positionals: [verb, name, ...others] } = parsed(args, {});
  if (verb === "list" && name === undefined) return undefined;
  if (verb !== "use" || name === undefined || others.length > 0) {
    throw new UsageError("say list, or use NAME");
  }
  return name;
}

/** Lists servers, or says which verbs are for. */
export function context(args: readonly string[]): Promise<number> {
  return told(["context"], async () => {
    const name = readContext(args);
    const { env } = environment();
    const { current = "local", contexts } = readContexts(env);
    if (name === undefined) {
      const rows = [
        { name: "local", server: render(message`this host's socket`), current: current === "local" },
        ...Object.entries(contexts).map(([name, { server }]) => ({
          name,
          server,
          current: current === name,
        })),
      ];
      console.log(await formatAnswer(rows, "table"));
      return EXIT.done;
    }
    if (name !== "local" && !Object.hasOwn(contexts, name)) {
      throw new SettingsError(
        render(message`there is no context ${JSON.stringify(name)}. See kvm-manager context list`),
      );
    }
    await writeContexts(env, { ...(name !== "local" && { current: name }), contexts });
    return EXIT.done;
  });
}
